"""Archives for tests, made by code."""

import io
import zipfile


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive of files by their names."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return into.getvalue()
