"""What a power cut would leave: a process's writes and syncs as the kernel saw them, replayed.

``strace`` records every call by which a program changes files. Replayed on a disk that keeps only
what has been synced, and on one that may keep anything sooner, they show at each moment what could
be lost, and what could be there half.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.requirements import missing

_CALLS = (
    "openat,write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync,"
    "rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat"
)
_CALL = re.compile(
    r"^(?:\d+ +)?(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)(?P<rest>.*)$"
)
_OF_DESCRIPTOR = re.compile(r"^(?P<number>\d+)<(?P<path>[^>]*)>")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(slots=True)
class _File:
    """Attributes: whether its content is as it was last synced."""

    synced: bool = True


@dataclass(slots=True)
class Disk:
    """The files of a folder, as the program sees them and as a power cut would leave them.

    Attributes:
        names: The files, by the names that the program sees.
        kept_names: The files by the names that a power cut leaves for certain.
        named_too_soon: Names that were given to files before their content was synced, so that a
            power cut may leave such a file half.
    """

    names: dict[str, _File] = field(default_factory=dict)
    kept_names: dict[str, _File] = field(default_factory=dict)
    named_too_soon: list[str] = field(default_factory=list)

    def is_safe(self, path: str) -> bool:
        """Whether a file would be there after a power cut, under its name and with its content."""
        file = self.kept_names.get(path)
        above = str(Path(path).parent)
        return file is not None and file.synced and (above not in self.names or self._safe(above))

    def _safe(self, folder: str) -> bool:
        above = str(Path(folder).parent)
        return folder in self.kept_names and (above not in self.names or self._safe(above))

    def written(self, path: str) -> None:
        self.names.setdefault(path, _File()).synced = False

    def opened(self, path: str, flags: str) -> None:
        if "O_CREAT" in flags and path not in self.names:
            self.names[path] = _File()
        if "O_TRUNC" in flags and path in self.names:
            self.names[path].synced = False

    def made(self, path: str) -> None:
        self.names.setdefault(path, _File())

    def renamed(self, old: str, new: str) -> None:
        self.linked(old, new)
        self.names.pop(old, None)

    def linked(self, old: str, new: str) -> None:
        if old in self.names:
            self.names[new] = self.names[old]
            if not self.names[new].synced:
                self.named_too_soon.append(new)

    def removed(self, path: str) -> None:
        self.names.pop(path, None)

    def synced(self, path: str) -> None:
        if path in self.names:
            self.names[path].synced = True
        # Syncing a folder keeps the names in it, and nothing of what the files hold.
        for name in {*self.names, *self.kept_names}:
            if str(Path(name).parent) == path:
                if name in self.names:
                    self.kept_names[name] = self.names[name]
                else:
                    self.kept_names.pop(name, None)


def replay(command: Sequence[str], record: Path, said: Callable[[Disk, str], None]) -> Disk:
    """Run a program under ``strace`` and replay what it did to files.

    Args:
        command: The program.
        record: Where the record may be written.
        said: Is called at each line that the program wrote to its standard output, with the disk as
            it was at that moment.

    Returns:
        The disk at the end.
    """
    if shutil.which("strace") is None:
        missing("strace", "install it with: apt-get install strace")
    subprocess.run(
        ["strace", "-f", "-y", "-s", "4096", "-e", f"trace={_CALLS}", "-o", str(record), *command],
        check=True,
        stdout=subprocess.PIPE,
        timeout=120,
    )
    disk = Disk()
    for line in _whole_lines(record.read_text(errors="replace")):
        call = _CALL.match(line)
        if call is not None and int(call["result"]) >= 0:
            _apply(disk, call["name"], call["arguments"], call["rest"], said)
    return disk


def _whole_lines(text: str) -> list[str]:
    """Put calls together that another thread interrupted."""
    begun: dict[str, str] = {}
    lines = []
    for line in text.splitlines():
        thread, _, rest = line.partition(" ")
        if rest.endswith("<unfinished ...>"):
            begun[thread] = rest.removesuffix("<unfinished ...>").rstrip()
        elif resumed := re.match(r"^ *<\.\.\. \w+ resumed>(.*)$", rest):
            lines.append(f"{thread} {begun.pop(thread).lstrip()}{resumed[1]}")
        else:
            lines.append(line)
    return lines


def _apply(
    disk: Disk, name: str, arguments: str, rest: str, said: Callable[[Disk, str], None]
) -> None:
    texts = [each.encode().decode("unicode_escape") for each in _TEXT.findall(arguments)]
    descriptor = _OF_DESCRIPTOR.match(arguments)
    match name:
        case "write" if descriptor is not None and descriptor["number"] == "1":
            for line in texts[0].splitlines():
                said(disk, line)
        case "write" | "writev" | "pwrite64" | "pwritev" | "ftruncate" if descriptor is not None:
            disk.written(descriptor["path"])
        case "fsync" | "fdatasync" if descriptor is not None:
            disk.synced(descriptor["path"])
        case "openat":
            disk.opened(rest.strip().strip("<>"), arguments)
        case "rename" | "renameat" | "renameat2":
            disk.renamed(*texts)
        case "link" | "linkat":
            disk.linked(*texts)
        case "unlink" | "unlinkat":
            disk.removed(texts[0])
        case "mkdir" | "mkdirat":
            disk.made(texts[0])
