"""Whether a document that was sent can be taken."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Self

from tutela.reporting.cybertipline.model import FileDetails
from tutela.reporting.cybertipline.reading import (
    InvalidDocumentError,
    MalformedDocumentError,
    read_file_details,
    read_report,
)
from tutela.reporting.cybertipline.schema import Schema, official_schema, own_schema
from tutela.testing.authority.model import Code, Refused


@dataclass(frozen=True, slots=True)
class Documents:
    """What documents are checked by.

    Attributes:
        schema: It.
        text: The same, as it is given out.
    """

    schema: Schema
    text: bytes

    @classmethod
    def by_own_schema(cls) -> Self:
        """Tutela's own."""
        text = (files("tutela.reporting.cybertipline") / "schema.xsd").read_bytes()
        return cls(own_schema(), text)

    @classmethod
    def by_official_schema(cls, path: Path) -> Self:
        """A copy of the official one.

        Raises:
            SettingsError: It cannot be read, or is no schema.
        """
        return cls(official_schema(path), path.read_bytes())

    def check_report(self, body: bytes) -> str:
        """A ``<report>``, as text.

        Raises:
            Refused: It is no XML, or not valid.
        """
        try:
            read_report(body, self.schema)
        except (MalformedDocumentError, InvalidDocumentError) as error:
            raise _refusal(error) from None
        return body.decode()

    def read_details(self, body: bytes) -> FileDetails:
        """A ``<fileDetails>``.

        Raises:
            Refused: It is no XML, or not valid.
        """
        try:
            return read_file_details(body, self.schema)
        except (MalformedDocumentError, InvalidDocumentError) as error:
            raise _refusal(error) from None


def _refusal(error: MalformedDocumentError | InvalidDocumentError) -> Refused:
    malformed = isinstance(error, MalformedDocumentError)
    return Refused(Code.MALFORMED_XML if malformed else Code.NOT_VALID, error.message)
