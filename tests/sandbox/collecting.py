"""Download other people's test files, as ``corpora.toml`` tells: what ``make corpora`` runs.

They come from PyPI and from Debian, are read by nobody but the tests, and are no part of this
repository. What cannot be had on this machine is named and left out; what is there already is not
downloaded again.
"""

import binascii
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

MOST_BYTES = 3_000_000
"""Larger files are left where they are: nothing about them is more hostile."""

_FOLDER = Path(__file__).parent
_UUENCODED = ".uu"


@dataclass(frozen=True, slots=True)
class Collection:
    """Files that a package carries.

    Attributes:
        name: The folder they go into.
        kind: ``pypi`` for a source distribution, ``source`` for a source package of Debian,
            ``binary`` for one of its packages.
        package: Its name there.
        files: Patterns of their paths.
        licence: Whose terms they come under.
        version: Of PyPI's; the installed one if left out.
        sha256: Of PyPI's file; not checked if left out.
    """

    name: str
    kind: str
    package: str
    files: tuple[str, ...]
    licence: str
    version: str = ""
    sha256: str = ""


def collections() -> list[Collection]:
    """All that can be downloaded."""
    told = tomllib.loads((_FOLDER / "corpora.toml").read_text())
    return [
        Collection(name, **{**each, "files": tuple(each["files"])}) for name, each in told.items()
    ]


def collect(into: Path) -> None:
    """Download what is not there yet, each collection into a folder of its name."""
    with TemporaryDirectory() as work:
        apt = _Apt(Path(work))
        for each in collections():
            if (into / each.name).is_dir():
                continue
            part = into / f"{each.name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            here = Path(work) / each.name
            here.mkdir()
            try:
                archives = _download(each, here) if each.kind == "pypi" else apt.get(each, here)
                count = sum(_unpack(archive, each.files, part) for archive in archives)
            except (OSError, subprocess.CalledProcessError, LookupError) as error:
                told = getattr(error, "stderr", None) or str(error)
                last = told.strip().splitlines()[-1:] or [type(error).__name__]
                print(f"{each.name} is left out: {last[0]}", file=sys.stderr)  # noqa: T201
                continue
            print(f"{each.name}: {count} files, {each.licence}")  # noqa: T201
            part.rename(into / each.name)


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def _download(wanted: Collection, folder: Path) -> list[Path]:
    """The source distribution of a package."""
    requirement = f"{wanted.package}=={wanted.version or version(wanted.package)}"
    if wanted.sha256:
        requirement += f" --hash=sha256:{wanted.sha256}"
    asked = folder / "wanted.txt"
    asked.write_text(f"{requirement}\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
    _run([*pip, "--no-deps", "--no-binary", wanted.package, "-r", str(asked)], folder)
    asked.unlink()
    return list(folder.iterdir())


class _Apt:
    """Debian's packages, by lists of our own: neither root nor sources there are needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "apt"
        self._options: list[str] = []

    def get(self, wanted: Collection, folder: Path) -> list[Path]:
        """The archives that a package consists of.

        Raises:
            LookupError: This is no Debian.
            subprocess.CalledProcessError: It is not to be had.
        """
        options = self._prepared()
        if wanted.kind == "source":
            _run(["apt-get", *options, "source", "--download-only", wanted.package], folder)
            return [path for path in folder.iterdir() if ".orig" in path.name and _is_packed(path)]
        _run(["apt-get", *options, "download", wanted.package], folder)
        made = folder / "data.tar"
        for path in list(folder.glob("*.deb")):
            with made.open("wb") as file:
                subprocess.run(["dpkg-deb", "--fsys-tarfile", str(path)], check=True, stdout=file)
        return [made]

    def _prepared(self) -> list[str]:
        if self._options:
            return self._options
        if shutil.which("apt-get") is None:
            raise LookupError("there is no apt-get here: it is a package of Debian")
        for each in ("lists/partial", "cache/archives/partial"):
            (self._folder / each).mkdir(parents=True, exist_ok=True)
        form = "deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)"
        about = ["Created-By: Packages", "Origin: Debian"]
        told = _run(["apt-get", "indextargets", "--format", form, *about], self._folder)
        if not told.strip():
            raise LookupError("apt-get knows of no packages of Debian: run apt-get update first")
        # Test files need no updates, of which mirrors may lack the sources.
        sources = sorted({line for line in told.splitlines() if "-" not in line.split()[2]})
        sources += [line.replace("deb-src", "deb", 1) for line in sources]
        (self._folder / "sources.list").write_text("\n".join(sources) + "\n")
        options = {
            "Dir::State::Lists": self._folder / "lists",
            "Dir::Cache": self._folder / "cache",
            "Dir::Etc::SourceList": self._folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "APT::Sandbox::User": "root",
        }
        set_up = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        _run(["apt-get", *set_up, "--quiet=2", "update"], self._folder)
        self._options = set_up
        return set_up


def _is_packed(path: Path) -> bool:
    return path.suffix in {".gz", ".xz", ".bz2"}


def _unpack(archive: Path, patterns: tuple[str, ...], into: Path) -> int:
    """Put the wanted files of an archive into a folder, and say how many they are."""
    count = 0
    for name, content in _members(archive):
        if not any(fnmatch(name, pattern) for pattern in patterns):
            continue
        file = _decoded(content) if name.endswith(_UUENCODED) else content
        if len(file) < MOST_BYTES:
            # One name, so that it leads nowhere else.
            (into / name.replace("/", "__")[-200:]).write_bytes(file)
            count += 1
    return count


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The files of an archive, with their paths below its first folder."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                if not info.is_dir():
                    yield _below(info.filename), packed.read(info)
        return
    with tarfile.open(archive) as packed:
        for member in packed:
            file = packed.extractfile(member) if member.isfile() else None
            if file is not None:
                yield _below(member.name), file.read()


def _below(name: str) -> str:
    parts = PurePosixPath(name).parts
    return "/".join(parts[1:])


def _decoded(text: bytes) -> bytes:
    """What was made into letters by ``uuencode``."""
    _, _, lines = text.partition(b"begin ")
    content = io.BytesIO()
    for line in lines.splitlines()[1:]:
        if line == b"end":
            break
        try:
            content.write(binascii.a2b_uu(line))
        except binascii.Error:
            # Some encoders put more at the end of a line than it says.
            length = ((line[0] - 32 & 63) * 4 + 5) // 3
            content.write(binascii.a2b_uu(line[:length]))
    return content.getvalue()


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    collect(Path(sys.argv[1]))
