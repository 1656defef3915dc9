"""The nouns: what opening up one file may cost."""

from dataclasses import dataclass

PACKET_BYTES = 1 << 14
"""More than the longest request to a cell or answer from one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What decoding one picture may cost. Past any of these it is unreadable.

    Attributes:
        pixels: Largest picture, width times height.
        memory_bytes: Memory that decoding may take, beyond what an idle cell has.
        seconds: Time that decoding may take. Digests of a large file are not counted.
    """

    pixels: int = 100_000_000
    memory_bytes: int = 2 << 30
    seconds: float = 20.0
