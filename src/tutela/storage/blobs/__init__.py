"""Where large things are kept under random names: in a folder, or in a bucket of S3."""
