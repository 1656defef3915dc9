"""Which call fails: the faults that were ordered, and whose turn it is."""

import random

from tutela.testing.authority.model import Call, Fault
from tutela.testing.authority.registry import Registry


def next_fault(registry: Registry, call: Call) -> Fault | None:
    """The fault that a call meets, which counts it; ``None`` if it goes well.

    The one ordered first has the first say. Every one that is about such calls counts this one.
    """
    chosen = None
    for position, fault, already_seen, done in registry.faults():
        if fault.call not in (None, call):
            continue
        seen = already_seen + 1
        meets = chosen is None and _meets(fault, seen, done)
        if meets:
            chosen = fault
        registry.count_fault(position, seen=seen, done=done + meets)
    return chosen


def _meets(fault: Fault, seen: int, done: int) -> bool:
    if seen < fault.nth or (fault.times is not None and done >= fault.times):
        return False
    # The same calls fail each time that a test is run, whatever else is drawn at random.
    drawn = random.Random(f"{fault.seed} {fault.call} {fault.spoiling} {seen}").random()  # noqa: S311
    return drawn < fault.chance
