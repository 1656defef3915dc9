"""Backup and restore of the whole house."""
