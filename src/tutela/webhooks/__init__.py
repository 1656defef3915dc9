"""Telling the platform what was decided: signed, retried, and written down."""
