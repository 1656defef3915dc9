"""By what a server that only plays the authority is known."""

SANDBOX_HEADER = "X-Tutela-Sandbox"
"""Every answer of a sandbox has it, with the value ``yes``, and no answer of a real authority."""
