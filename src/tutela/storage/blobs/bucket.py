"""Blobs in a bucket of S3."""
