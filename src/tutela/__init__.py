"""Tutela: self-hosted software that protects children online."""

from importlib.metadata import version

__version__ = version("tutela")
