"""Running the real command, as people do."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from tests.cli.warm import WarmCommand
from tutela.storage.settings import Settings

_SECONDS = 120
TUTELA = str(Path(sys.executable).with_name("tutela"))


def environment(settings: Settings) -> dict[str, str]:
    """What the command finds around it: the house with these settings."""
    house = {"TUTELA_DATA": str(settings.data), "TUTELA_CELLS": "2"}
    if settings.database_url:
        house["TUTELA_DATABASE_URL"] = settings.database_url
    return os.environ | house


# Root may read every file, unless it gives that power up.
_HELD_TO_PERMISSIONS = (
    ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
)


def tutela(
    settings: Settings, *arguments: str | Path, held_to_permissions: bool = False, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, if wanted without root's power to read every file."""
    words = [str(argument) for argument in arguments]
    if not held_to_permissions:
        return _warm_command().run(words, environment(settings), _SECONDS, typed)
    return subprocess.run(
        [*_HELD_TO_PERMISSIONS, TUTELA, *words],
        input=typed,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


@cache
def _warm_command() -> WarmCommand:
    return WarmCommand()


def json_lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The objects that a command printed."""
    return [json.loads(line) for line in done.stdout.splitlines()]
