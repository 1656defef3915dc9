"""Writing a proof to a file: whole or not at all, and over no other file unasked."""

import os
import secrets
from pathlib import Path

from tutela.errors import AlreadyExistsError, InvalidInputError, StorageError
from tutela.storage.durable import flush_folder


def refuse_unfit(path: Path, *, replace: bool) -> None:
    """Say early that no proof can be written there.

    Args:
        path: The file.
        replace: Whether it may take the place of another file.

    Raises:
        AlreadyExistsError: There is a file of this name, which may not be replaced.
        InvalidInputError: It is a folder or a device.
        StorageError: There is no such folder.
    """
    try:
        if path.exists() and not path.is_file():
            raise InvalidInputError(
                "{path} is no file: name a file to write the proof to, or none to have it printed",
                path=path,
            )
        if os.path.lexists(path) and not replace:
            raise AlreadyExistsError(
                "{path} is there already: choose another name, or write over it with --force",
                path=path,
            )
        if not path.absolute().parent.is_dir():
            raise StorageError(f"{path.absolute().parent}: there is no such folder: make it first")
    except OSError as error:
        raise _explained(path, error) from error


def write_proof(path: Path, text: str, *, replace: bool = False) -> None:
    """Write a proof.

    Args:
        path: The file.
        text: The proof.
        replace: Whether it may take the place of another file.

    Raises:
        AlreadyExistsError: There is a file of this name, which may not be replaced.
        InvalidInputError: It is a folder or a device.
        StorageError: It cannot be written; what was there is there still.
    """
    refuse_unfit(path, replace=replace)
    unfinished = path.with_name(f".{secrets.token_hex(8)}.unfinished")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            refuse_unfit(path, replace=replace)
            unfinished.rename(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        flush_folder(path.absolute().parent)
    except OSError as error:
        raise _explained(path, error) from error


def _explained(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"the proof cannot be written to {path} ({error.strerror}): check free space and "
        "permissions of its folder, or name another one"
    )
