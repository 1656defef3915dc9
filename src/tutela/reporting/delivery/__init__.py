"""Sending each report until the authority has it, once; and how the ways there are."""
