"""Disclosure: evidence handed to an authority, by two people, for a reason in law."""
