"""Bytes and pixels to fingerprints. Pure: no files, no network, no database."""
