"""Files for a list that came over the web: kept until a job has imported them.

They lie in the data folder, which one machine has; on several machines the job waits for the one
that has the file.
"""

import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection

from tutela.errors import InvalidInputError, NotFoundError, StorageError, TooLargeError
from tutela.fingerprints.model import Kind as FingerprintKind
from tutela.hashlists.importing import import_file
from tutela.hashlists.lists import find_list
from tutela.hashlists.model import HashList, ImportRecord, Provenance
from tutela.hashlists.wording import checked_text
from tutela.ledger.model import Actor
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import Job, Kind, Later, Never

IMPORT = "lists.import"
"""The kind of job that imports what was uploaded."""

MOST_BYTES = 4 << 30
_LOOKED_FOR_AGAIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done with an upload.

    Attributes:
        list_name: On which list its hashes are to be put.
        file_name: What the file was called.
        provenance: Who says that they are known, and what they are said to be.
        kind: What the hashes are, in so far as the file does not say it.
    """

    list_name: str
    file_name: str
    provenance: Provenance
    kind: FingerprintKind | None = None


def keep_upload(
    data: Path, hash_list: HashList, wish: Wish, actor: Actor, chunks: Iterable[bytes]
) -> str:
    """Keep a file until it is imported; ``import_later`` has to follow.

    Args:
        data: The data folder.
        hash_list: The list.
        wish: What is to be done with it.
        actor: Who sends it.
        chunks: The file's bytes.

    Returns:
        The name that it is kept by.

    Raises:
        InvalidInputError: A text cannot be used.
        TooLargeError: It is larger than a list ever is.
        StorageError: It cannot be written.
    """
    provenance = Provenance(
        checked_text("source", wish.provenance.source, required=True),
        checked_text("label", wish.provenance.label),
        checked_text("reason", wish.provenance.reason),
    )
    upload = secrets.token_hex(12)
    folder = _folder(data, upload)
    known = {
        "list": hash_list.name,
        "provenance": asdict(provenance),
        "kind": wish.kind,
        "actor": asdict(actor),
    }
    try:
        folder.mkdir(mode=0o700, parents=True)
        (folder / "wish.json").write_text(json.dumps(known), encoding="utf-8")
        _write(folder / _safe(wish.file_name), chunks)
    except OSError as error:
        forget_upload(data, upload)
        raise StorageError(f"the upload cannot be kept: {error.strerror}") from None
    except BaseException:
        forget_upload(data, upload)
        raise
    return upload


def import_later(connection: Connection, upload: str, clock: Clock) -> None:
    """Have an upload imported in the background."""
    enqueue(connection, IMPORT, {"upload": upload}, clock, dedupe=f"{IMPORT}:{upload}")


def forget_upload(data: Path, upload: str) -> None:
    """Remove an upload, as far as it is there."""
    folder = _folder(data, upload)
    for file in folder.glob("*"):
        file.unlink(missing_ok=True)
    if folder.is_dir():
        folder.rmdir()


def rejects_file(data: Path, record: ImportRecord) -> Path:
    """Where the rows of an upload lie that could not be understood, if there are any."""
    return data / "rejects" / f"import-{record.id}.csv"


def importing(database: Database, data: Path, clock: Clock) -> Kind:
    """The kind of job that imports what was uploaded."""

    def run(job: Job) -> None:
        upload = str(job.payload.get("upload", ""))
        folder = _folder(data, upload)
        if not (folder / "wish.json").is_file():
            raise Later(clock() + _LOOKED_FOR_AGAIN, "the file is on another machine, or gone")
        try:
            _import(database, data, upload, clock)
        except (InvalidInputError, NotFoundError) as error:
            forget_upload(data, upload)
            raise Never(error.message) from None
        forget_upload(data, upload)

    return Kind(IMPORT, run, attempts=5)


def _import(database: Database, data: Path, upload: str, clock: Clock) -> None:
    folder = _folder(data, upload)
    known = json.loads((folder / "wish.json").read_text(encoding="utf-8"))
    (file,) = (each for each in folder.iterdir() if each.name != "wish.json")
    rejects = data / "rejects" / f"{upload}.csv"
    rejects.parent.mkdir(mode=0o700, exist_ok=True)
    with database.reading() as connection:
        hash_list = find_list(connection, known["list"])
    result = import_file(
        database,
        hash_list,
        file,
        Provenance(**known["provenance"]),
        actor=Actor(**known["actor"]),
        clock=clock,
        rejects_path=rejects,
        kind=FingerprintKind(known["kind"]) if known["kind"] else None,
    )
    if rejects.exists():
        rejects.rename(rejects.with_name(f"import-{result.id}.csv"))


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    size = 0
    with os.fdopen(descriptor, "wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > MOST_BYTES:
                raise TooLargeError(
                    f"a list's file has at most {MOST_BYTES >> 30} GiB here: import it in parts, "
                    "or on the machine itself with: tutela list import"
                )
            file.write(chunk)
        file.flush()
        os.fsync(descriptor)


def _folder(data: Path, upload: str) -> Path:
    if not upload.isalnum() or not upload.isascii():
        raise Never("no upload is named")
    return data / "uploads" / upload


def _safe(name: str) -> str:
    """A file's name that says what it was, and leads nowhere."""
    readable = "".join(each if each.isalnum() or each in "._- " else "_" for each in name)
    return f"list-{readable[-100:]}" if readable else "list"
