"""Drafts: what fills them, what people write in them, and what they lack."""
