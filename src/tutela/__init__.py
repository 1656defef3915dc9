"""Tutela: self-hosted software that protects children online."""
