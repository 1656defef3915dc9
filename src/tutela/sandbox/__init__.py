"""The cell where untrusted bytes are decoded, and what it may spend."""
