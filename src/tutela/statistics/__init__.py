"""What the public sees of what was done: counts, never cases."""
