"""Backups: the whole house in one encrypted file, made while it serves, and put back with proof."""
