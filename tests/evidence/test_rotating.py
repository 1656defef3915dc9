"""The key is changed while the vault is in use, and never lost on the way."""
