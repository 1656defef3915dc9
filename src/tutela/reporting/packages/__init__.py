"""Packages: a report with its files for an authority without an interface, and only for it."""
