"""Which countries there are: the codes of ISO 3166-1 alpha-2, in ``countries.txt``."""

from importlib.resources import files

COUNTRIES = frozenset(
    (files("tutela.reporting") / "countries.txt").read_text(encoding="ascii").split()
)
"""Every officially assigned code, in capitals."""
