"""Draws docs/assets/terminal.svg from a real run of the commands: ``make docs``.

Case numbers are random, so every drawing differs a little.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "assets" / "terminal.svg"
TUTELA = Path(sys.executable).with_name("tutela")
_QUIET = [
    ["list", "create", "sample"],
    ["list", "import", "sample", "samples/known.csv", "--source", "Tutela's own samples"],
]
_SHOWN = [
    "tutela scan samples/new samples/known/dunes.jpg",
    "tutela scan samples/new/canyon.jpg samples/new/pine-valley-resized.jpg --json",
    "tutela hash samples/known/dunes.jpg",
    "tutela list ls",
]
_COLOURS = [
    (r": match", "bold red"),
    (r'"match"', "bold red"),
    (r'"clear"', "green"),
    (r"case [0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", "bold"),
]


def draw() -> None:
    """Run the commands in a folder of their own, and draw what they print."""
    console = Console(record=True, width=104, file=io.StringIO(), color_system="truecolor")
    with tempfile.TemporaryDirectory() as data:
        environment = os.environ | {"TUTELA_DATA": data, "COLUMNS": "100"}
        for command in _QUIET:
            _run(environment, [str(TUTELA), *command])
        for command in _SHOWN:
            said = _run(environment, ["bash", "-c", command.replace("tutela", str(TUTELA), 1)])
            console.print(Text.assemble(("$ ", "dim"), (command, "bold")))
            text = Text(said.rstrip() + "\n")
            for pattern, style in _COLOURS:
                text.highlight_regex(pattern, style)
            console.print(text)
    drawing = console.export_svg(title="Tutela")
    # The drawing would otherwise ask another server for its font.
    drawing = re.sub(r"@font-face \{.*?\}", "", drawing, flags=re.DOTALL)
    PICTURE.write_text(drawing.replace("Fira Code, ", ""), encoding="utf-8")


def _run(environment: dict[str, str], command: list[str]) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


if __name__ == "__main__":
    draw()
