"""Looking a house over: this machine, the data, and how untrusted files are kept apart.

It changes nothing: a house that is not there is not made, and one that is old is not upgraded. The
command ``tutela doctor`` and the API's ``/v1/health`` tell of it.
"""

import ctypes
import os
import platform
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tutela
from tutela.errors import TutelaError
from tutela.kernel.library import Variant, variant
from tutela.sandbox.pool import CellPool
from tutela.sandbox.probing import probe
from tutela.screening.opening import keeping_of, limits_of
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.jobs.agreed_time import agreed_clock
from tutela.storage.migration import is_known, revision_of, revisions
from tutela.storage.settings import Settings, settings_file
from tutela.streams import srt

_LITTLE_SPACE = 1 << 30
_WRONG_CLOCK = timedelta(seconds=5)
# What the call adjtimex answers when nothing keeps the clock right, and room for what it tells.
_CLOCK_ON_ITS_OWN, _ROOM = 5, 512
# What opens pictures and videos: the package, and what there is not to be had without it.
_DECODERS = {
    "pillow": "",
    "simplejpeg": "",
    "pi-heif": "",
    "pypdfium2": "",
    "av": 'videos are unreadable, and not shown: install the extra "video"',
    "opencv-python-headless": 'faces are not hidden: install the extra "faces"',
}

_WITHOUT_LIBARCHIVE = (
    "7z, RAR and some other archives are unreadable: install the system's libarchive (on Debian "
    "and Ubuntu: apt-get install libarchive13, on Fedora: dnf install libarchive)"
)
_WITHOUT_LIBJXL = (
    'JPEG XL is unreadable, and not shown: install the extra "jpegxl", or the system\'s libjxl '
    "(on Debian and Ubuntu: apt-get install libjxl-tools, on Fedora: dnf install libjxl)"
)


class How(StrEnum):
    """How it is with something. A word once used is never given another meaning."""

    WELL = "well"
    WARNING = "warning"
    """Tutela works, but less well or less safely than it could."""
    WRONG = "wrong"
    """Tutela does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing.

    Attributes:
        name: What was looked at.
        how: How it is.
        detail: A few words for operators.
        advice: What to do; empty where all is well.
    """

    name: str
    how: How
    detail: str
    advice: str = ""

    def as_fields(self) -> dict[str, str | None]:
        """The same by names, as programs are given it."""
        return {
            "name": self.name,
            "how": self.how,
            "detail": self.detail,
            "advice": self.advice or None,
        }


_Look = Callable[[Settings], tuple[Finding, ...]]


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Look everything over. Takes a second or two.

    Args:
        settings: The configuration.
    """
    looks: dict[str, _Look] = {
        "machine": _machine,
        "kernel": _kernel,
        "settings": _settings,
        "data": _data,
        "disk": _disk,
        "database": _database,
        "clock": _clock,
        "decoders": _decoders,
        "sandbox": _sandbox,
        "cells": _cells,
    }
    return tuple(each for name, look in looks.items() for each in _looked(name, look, settings))


def _looked(name: str, look: _Look, settings: Settings) -> tuple[Finding, ...]:
    try:
        return look(settings)
    except TutelaError as error:
        return (Finding(name, How.WRONG, error.message),)
    except OSError as error:
        return (Finding(name, How.WRONG, error.strerror or type(error).__name__),)


def _machine(settings: Settings) -> tuple[Finding, ...]:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cells = settings.workers * settings.cells
    needed = cells * (settings.decode_memory_mib << 20)
    detail = (
        f"Tutela {tutela.__version__}, Python {platform.python_version()}, {platform.system()} "
        f"{platform.release()}, {platform.machine()}, {len(os.sched_getaffinity(0))} processors, "
        f"{memory / (1 << 30):.1f} GiB of memory"
    )
    if needed <= memory:
        return (Finding("machine", How.WELL, detail),)
    advice = (
        f"{cells} cells may take {needed / (1 << 30):.1f} GiB together, if each opens the worst of "
        "pictures: set fewer cells, or a smaller decode_memory_mib"
    )
    return (Finding("machine", How.WARNING, detail, advice),)


def _kernel(_: Settings) -> tuple[Finding, ...]:
    used = variant()
    if used is not Variant.NUMPY:
        return (Finding("kernel", How.WELL, f"compiled, {used}"),)
    advice = (
        "hashing and looking up take many times as long: install a C compiler (on Debian: apt-get "
        "install gcc libc6-dev) and install Tutela again"
    )
    return (Finding("kernel", How.WARNING, "not compiled, or TUTELA_KERNEL is numpy", advice),)


def _settings(_: Settings) -> tuple[Finding, ...]:
    file = settings_file()
    where = (
        str(file.absolute()) if file.exists() else "no file, so all are the defaults or TUTELA_*"
    )
    return (Finding("settings", How.WELL, where),)


def _data(settings: Settings) -> tuple[Finding, ...]:
    folder = settings.data.absolute()
    if not folder.exists():
        advice = "it is made at the first start; if there should be one, choose it with --data"
        return (Finding("data", How.WARNING, f"{folder} does not exist", advice),)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        advice = f"run as its owner, with: sudo -u '#{folder.stat().st_uid}'"
        return (Finding("data", How.WRONG, f"{folder} cannot be written to", advice),)
    others = folder.stat().st_mode & 0o077
    if others:
        advice = f"lists and cases are for nobody else: chmod go= '{folder}'"
        detail = f"{folder} is open to other users of this machine"
        return (Finding("data", How.WARNING, detail, advice),)
    return (Finding("data", How.WELL, str(folder)),)


def _disk(settings: Settings) -> tuple[Finding, ...]:
    folder = settings.data.absolute()
    there = next(each for each in (folder, *folder.parents) if each.exists())
    usage = shutil.disk_usage(there)
    detail = f"{usage.free / (1 << 30):,.1f} GiB of {usage.total / (1 << 30):,.1f} GiB free"
    if usage.free >= _LITTLE_SPACE:
        return (Finding("disk", How.WELL, detail),)
    advice = "free some space: without it a match finds no room for its case"
    return (Finding("disk", How.WARNING, detail, advice),)


def _database(settings: Settings) -> tuple[Finding, ...]:
    if _is_absent(settings):
        advice = "it is made at the first start"
        return (Finding("database", How.WARNING, "there is none yet", advice),)
    with closing(_opened(settings)) as database, database.reading() as connection:
        name = "SQLite" if database.is_sqlite else "PostgreSQL"
        numbers = connection.dialect.server_version_info or ()
        found, newest = revision_of(connection), revisions()[-1]
    detail = f"{name} {'.'.join(map(str, numbers))} answers"
    if found == newest:
        return (Finding("database", How.WELL, detail),)
    if found is not None and not is_known(found):
        advice = "it was made by a newer Tutela: install that one"
        return (Finding("database", How.WRONG, f"{detail}; its form is not known here", advice),)
    advice = "it is brought up to date at the next start; back it up before that"
    return (Finding("database", How.WARNING, f"{detail}; it is of an older Tutela", advice),)


def _clock(settings: Settings) -> tuple[Finding, ...]:
    detail = f"{system_clock():%Y-%m-%d %H:%M:%S} UTC"
    if not _is_absent(settings):
        with closing(_opened(settings)) as database:
            apart = abs(agreed_clock(database, system_clock)() - system_clock())
        if apart >= _WRONG_CLOCK:
            advice = "set this machine's clock, or the database's, right: terms are counted by it"
            detail += f", {apart.total_seconds():.0f} s from the database's"
            return (Finding("clock", How.WRONG, detail, advice),)
    if ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_ROOM)) == _CLOCK_ON_ITS_OWN:
        advice = "let something keep it right, such as chrony or systemd-timesyncd"
        return (Finding("clock", How.WARNING, f"{detail}, which nothing keeps right", advice),)
    return (Finding("clock", How.WELL, detail),)


def _decoders(settings: Settings) -> tuple[Finding, ...]:
    found, missing = [], []
    for package, without in _DECODERS.items():
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(without or f"{package} is missing: install Tutela again")
    seal = probe(limits_of(settings))
    for library, without in (
        (seal.libarchive, _WITHOUT_LIBARCHIVE),
        (seal.libjxl, _WITHOUT_LIBJXL),
    ):
        if library:
            found.append(library)
        else:
            missing.append(without)
    if shutil.which(srt.PROGRAM):
        found.append(srt.PROGRAM)
    elif settings.streams.sources:
        missing.append(srt.WITHOUT_PROGRAM)
    how = How.WARNING if missing else How.WELL
    return (Finding("decoders", how, ", ".join(found), "; ".join(missing)),)


def _sandbox(settings: Settings) -> tuple[Finding, ...]:
    seal = probe(limits_of(settings))
    lacking = How.WRONG if settings.sandbox.strict else How.WARNING
    advice = (
        "whoever breaks a decoder can do more than they should: see docs/sandbox.md for what the "
        "kernel and a container have to allow"
    )
    found = []
    for worn in seal.layers:
        name = f"sandbox: {worn.layer}"
        if worn.holds:
            found.append(Finding(name, How.WELL, "holds"))
        elif worn.needed:
            found.append(Finding(name, lacking, worn.reason, advice))
        else:
            detail = f"{worn.reason}; good to have, and not needed where the others hold"
            found.append(Finding(name, How.WELL, detail))
    if seal.gaps:
        detail = f"with all layers on a cell can still {', '.join(seal.gaps)}"
        found.append(Finding("sandbox", lacking, detail, advice))
    return tuple(found)


def _cells(settings: Settings) -> tuple[Finding, ...]:
    picture = os.memfd_create("picture")
    try:
        os.write(picture, _PICTURE)
        with CellPool(1, limits_of(settings), keeping_of(settings)) as cells:
            found = cells.fingerprint(picture)
    finally:
        os.close(picture)
    if found.picture.pdq is not None:
        return (Finding("cells", How.WELL, "a picture is opened"),)
    advice = "install Tutela again; if it lasts, please report it"
    return (Finding("cells", How.WRONG, f"a sound picture: {found.picture.reason}", advice),)


def _opened(settings: Settings) -> Database:
    """The database of a house that is there; a data folder that is missing is not made."""
    if settings.data.exists():
        return Database.open(settings)
    return Database.open(settings.model_copy(update={"data": Path("/")}))


def _is_absent(settings: Settings) -> bool:
    file = settings.database.database if settings.database_url is None else None
    return file is not None and not Path(file).exists()


# A grey picture of 64 x 64 pixels in the simplest of formats.
_PICTURE = b"P5 64 64 255\n" + bytes(row ^ column for row in range(64) for column in range(64))
