"""An authority: its key, and how it opens what it is sent, with nothing of ours."""

import shutil
import subprocess
from pathlib import Path

from tests.requirements import missing


class Authority:
    """Somebody with the ``age`` program and a key of their own."""

    def __init__(self, folder: Path) -> None:
        for program in ("age", "age-keygen"):
            if shutil.which(program) is None:
                missing(program, "install it with: apt-get install age")
        folder.mkdir(parents=True, exist_ok=True)
        self.private = folder / "private.txt"
        self.public = folder / "RECIPIENT.age-key"
        subprocess.run(["age-keygen", "-o", self.private], check=True, capture_output=True)
        shown = subprocess.run(
            ["age-keygen", "-y", self.private], check=True, capture_output=True, text=True
        )
        self.key = shown.stdout.strip()
        self.public.write_text(f"# the authority\n{self.key}\n")

    def try_to_open(self, package: Path, into: Path) -> subprocess.CompletedProcess[bytes]:
        """What the cover sheet tells them to do."""
        into.mkdir(exist_ok=True)
        command = 'set -o pipefail; age -d -i "$0" "$1" | tar -x -C "$2"'
        return subprocess.run(
            ["bash", "-c", command, self.private, package, into], capture_output=True, check=False
        )

    def open(self, package: Path, into: Path) -> Path:
        """Open a package and check its sums; gives the one folder that came out."""
        opened = self.try_to_open(package, into)
        assert opened.returncode == 0, opened.stderr
        (folder,) = into.iterdir()
        checked = subprocess.run(
            ["sha256sum", "--strict", "-c", "SHA256SUMS"],
            cwd=folder,
            capture_output=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stderr
        listed = {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
        there = {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}
        assert listed == there - {"SHA256SUMS"}
        return folder
