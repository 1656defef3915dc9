"""Reporting: what an authority is told of a case, in which words, and that it is told once."""
