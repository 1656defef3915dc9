"""The parts of the benchmark, in the order of the page.

Each runs in a process of its own, so that none finds another's memory in its way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from benchmarks.results import Findings
from benchmarks.scale import Scale


@dataclass(frozen=True, slots=True)
class Part:
    """One part.

    Attributes:
        title: As it stands over the part's tables.
        module: Its ``measure`` does it.
    """

    title: str
    module: str

    def measure(self, scale: Scale) -> Findings:
        """Do it, here."""
        findings: Findings = import_module(self.module).measure(scale)
        return findings


PARTS: Mapping[str, Part] = {
    "hashing": Part("From pixels to PDQ", "benchmarks.hashing"),
    "cells": Part("Opening a picture in a sealed cell", "benchmarks.cells"),
    "verdicts": Part("From the bytes of a JPEG to its verdict", "benchmarks.verdicts"),
    "videos": Part("From a video to its vPDQ fingerprint", "benchmarks.videos"),
    "streams": Part("Live streams", "benchmarks.streams"),
    "lookups": Part("Looking hashes up", "benchmarks.lookups"),
    "skew": Part("An uneven list", "benchmarks.skew"),
    "footprint": Part("What an index takes", "benchmarks.footprint"),
    "recall": Part("Nothing is missed", "benchmarks.recall"),
    "serving": Part("Fingerprints over HTTP", "benchmarks.serving"),
    "live": Part("Lists that change", "benchmarks.live"),
    "folders": Part("Scanning a folder", "benchmarks.folders"),
    "ledger": Part("The ledger", "benchmarks.ledger"),
    "vault": Part("Sealing evidence", "benchmarks.vault"),
    "reports": Part("Reports to the CyberTipline", "benchmarks.reports"),
    "console": Part("The pages, with a year of cases", "benchmarks.console"),
}
"""All parts by name."""
