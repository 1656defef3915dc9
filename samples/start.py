"""What ``make run`` does: prepare a data folder with the sample list, then start the service."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from tutela.storage.settings import load_settings

HERE = Path(__file__).parent
TUTELA = str(Path(sys.executable).with_name("tutela"))
LIST = "sample"
KEY = "first"
SCOPES = (
    "screen",
    "screen:details",
    "lists:read",
    "lists:write",
    "cases:read",
    "metrics:read",
)


def main() -> None:
    """Prepare what is missing, say what to try, and become the service."""
    if LIST not in names("list"):
        tutela("list", "create", LIST, "--description", "Pictures drawn by samples/draw.py")
    if not json.loads(tutela("list", "show", LIST, "--json"))["entries"]:
        tutela(
            "list", "import", LIST, str(HERE / "known.csv"),
            "--source", "Tutela's own samples", "--reason", "to try Tutela out",
        )  # fmt: skip
    first = KEY not in names("key")
    key = make_key() if first else "YOUR-KEY"
    settings = load_settings()
    folder = os.path.relpath(HERE)
    picture = sorted((HERE / "new").glob("*-resized.jpg"))[0].name
    authorization = shlex.quote(f"Authorization: Bearer {key}")
    if first:
        print(f"\nYour first API key, shown only now:\n\n  {key}\n")
    else:
        print(
            "\nYour API key was shown at the first start. To make another:\n\n"
            f"  {shown(TUTELA)} key add ANOTHER --scope screen\n"
        )
    print(
        "Three things to try from a second terminal in this folder:\n\n"
        f"  {shown(TUTELA)} scan {folder}\n"
        f"  curl -H {authorization} \\\n"
        f"    -F file=@{folder}/new/{picture} http://{settings.host}:{settings.port}/v1/screen\n"
        f"  {shown(TUTELA)} case ls\n",
        flush=True,
    )
    os.execv(TUTELA, [TUTELA, "serve"])


def names(noun: str) -> set[str]:
    """The names that ``tutela NOUN ls`` knows."""
    return {json.loads(line)["name"] for line in tutela(noun, "ls", "--json").splitlines()}


def make_key() -> str:
    """A key that may do everything."""
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    return str(json.loads(tutela("key", "add", KEY, *scopes, "--json"))["key"])


def tutela(*arguments: str) -> str:
    """Run a command; where it fails, so does this, after its own words."""
    done = subprocess.run([TUTELA, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr, end="")
        sys.exit(done.returncode)
    return done.stdout


def shown(program: str) -> str:
    """A program's path as one would type it here."""
    return os.path.relpath(program)


if __name__ == "__main__":
    main()
