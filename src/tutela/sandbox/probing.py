"""Asking which layers seal the cells of this machine. It is tried, not only looked up."""

import sys
from functools import lru_cache
from typing import Any

from tutela.errors import SettingsError, TutelaError
from tutela.sandbox.model import NEEDED_LAYERS, Keeping, Layer, Limits, Seal, Worn
from tutela.sandbox.starting import CellProcess, refusal


@lru_cache(maxsize=4)
def probe(limits: Limits) -> Seal:
    """See what a cell can still do: each of the layers alone, and all of them together.

    Takes a fraction of a second, once in the life of a process.

    Raises:
        TutelaError: No cell can be started.
    """
    cell = CellProcess("tutela.sandbox.probing_cell", limits, Keeping())
    try:
        answer = cell.first_answer()
    finally:
        cell.end()
    if answer is None:
        raise TutelaError(
            "the process that tries out the layers of the sandbox broke, or was too slow; to see "
            f"whether it starts, run: {sys.executable} -c 'import tutela.sandbox.probing_cell'"
        )
    return _read(answer)


def require(seal: Seal) -> None:
    """See that cells are sealed whole.

    Raises:
        SettingsError: They are not.
    """
    if not seal.is_whole:
        lacking = {each.layer.value: each.reason for each in seal.layers if not each.holds}
        if seal.gaps:
            lacking["all of them"] = f"a cell can still {', '.join(seal.gaps)}"
        raise SettingsError(refusal(lacking))


def _read(answer: dict[str, Any]) -> Seal:
    return Seal(
        tuple(_worn(layer, answer[layer]) for layer in Layer),
        tuple(answer["all"]["done"]),
        answer["libarchive"],
        answer["libjxl"],
    )


def _worn(layer: Layer, answer: dict[str, Any]) -> Worn:
    reason = answer["lacking"].get(layer, "")
    if not reason and answer["done"]:
        reason = f"it lets a cell {', '.join(answer['done'])}"
    return Worn(layer, holds=not reason, needed=layer in NEEDED_LAYERS, reason=reason)
