"""What the authority answers, as XML."""

from dataclasses import dataclass
from xml.sax.saxutils import escape

from tutela.testing.authority.model import Code

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        code: How it went.
        description: The same in words.
        report: Which report it is about.
        file: The id that a file got.
        md5: Of what arrived of it.
        finished: The ids of all files of a report, where it has been finished.
    """

    code: Code = Code.SUCCESS
    description: str = "Success"
    report: int | None = None
    file: str | None = None
    md5: str | None = None
    finished: tuple[str, ...] | None = None

    @property
    def root(self) -> str:
        """The name of its outermost element."""
        return "reportResponse" if self.finished is None else "reportDoneResponse"

    def xml(self, prologue: str = "", inside: str = "") -> str:
        """It as XML.

        Args:
            prologue: What stands before the outermost element.
            inside: What stands in the description besides the words.
        """
        parts = [f"<responseCode>{self.code.value}</responseCode>"]
        if self.finished is None or inside:
            words = escape(self.description)
            parts.append(f"<responseDescription>{words}{inside}</responseDescription>")
        if self.report is not None:
            parts.append(f"<reportId>{self.report}</reportId>")
        if self.file is not None:
            parts.append(f"<fileId>{self.file}</fileId>")
        if self.md5 is not None:
            parts.append(f"<hash>{self.md5}</hash>")
        if self.finished is not None:
            files = "".join(f"<fileId>{each}</fileId>" for each in self.finished)
            parts.append(f"<files>{files}</files>")
        return f"{_HEAD}{prologue}<{self.root}>{''.join(parts)}</{self.root}>"
