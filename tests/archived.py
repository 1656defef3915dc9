"""Archives for tests, made by code."""

import io
import tarfile
import zipfile


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive of files by their names."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return into.getvalue()


def tarred(
    files: dict[str, bytes] | list[tuple[str, bytes]],
    mode: str = "w",
    form: int = tarfile.PAX_FORMAT,
) -> bytes:
    """A TAR archive of files by their names, of which several may be the same in a list."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, content in files.items() if isinstance(files, dict) else files:
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return into.getvalue()
