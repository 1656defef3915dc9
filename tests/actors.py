"""People who act in the tests."""

from tutela.ledger.model import Actor


def actor_called(name: str) -> Actor:
    """Somebody of this name."""
    return Actor(name, f"test:{len(name)}", "operator", "cli")
