"""Servers that stand in for other organisations' while one develops, tests or tries Tutela."""
