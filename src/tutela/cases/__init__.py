"""Cases: what was matched, and what became of it."""
