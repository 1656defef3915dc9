"""What a package holds: for people on paper and in a browser, for programs, and the files."""

import textwrap
from collections.abc import Iterator

from tutela.evidence.disclosure.archive import SUMS, Member
from tutela.reporting.packages.document import as_json, schema
from tutela.reporting.packages.model import Letter
from tutela.reporting.packages.wording import not_real

PAPER = "report.pdf"
PAGE = "report.html"
DOCUMENT = "report.json"
SCHEMA = "report.schema.json"


def members(letter: Letter) -> Iterator[Member]:
    """Every file of the package but its sums, those for people first and the media last."""
    # Not above: they take a tenth of a second, which every command would wait for.
    from tutela.reporting.packages.printed import printed  # noqa: PLC0415
    from tutela.reporting.packages.shown import shown  # noqa: PLC0415

    yield Member.of("README.txt", read_me(letter).encode())
    yield Member.of(PAPER, printed(letter))
    yield Member.of(PAGE, shown(letter))
    yield Member.of(DOCUMENT, as_json(letter))
    yield Member.of(SCHEMA, schema())
    for each in letter.enclosures:
        yield Member(each.file, each.size, each.content, each.sha256)


def read_me(letter: Letter) -> str:
    """How to open and check everything, in plain text."""
    said = (not_real(letter), letter.repetition)
    warnings = "".join(f"{textwrap.fill(each, 78)}\n\n" for each in said if each)
    return _READ_ME.format(
        letter=letter,
        warnings=warnings,
        title=letter.title,
        organisation=letter.organisation or "the operator of this Tutela",
        paper=PAPER,
        page=PAGE,
        document=DOCUMENT,
        schema=SCHEMA,
        media=len(letter.enclosures),
        sums=SUMS,
    )


_READ_ME = """\
{title}
For: {letter.authority}
From: {organisation}
Identifier: {letter.message}
Made: {letter.made_at:%Y-%m-%d %H:%M:%S} UTC

{warnings}BEFORE YOU OPEN ANYTHING
The files in the folder "media" can harm whoever sees them, and having them may
be an offence for anybody but you. Open them only where that is your duty. They
have neutral names that end in .bin, so that no program shows them by itself.

WHAT IS HERE
{paper}          the report, for people: to read, to print, to file
{page}         the same in every script, for any browser; it fetches nothing
{document}         the same for programs
{schema}  what {document} looks like (JSON Schema, draft 2020-12)
media/              the {media} files, each named by its id
{sums}          the checksum of every file here

HOW YOU OPENED IT
With age (https://age-encryption.org) and your private key:

    age -d -i PRIVATE-KEY-FILE {letter.file} | tar -x

Whoever altered one bit of the package would have made this fail. If it ended
with an error, do not use what came out: ask for the report again.

HOW TO CHECK IT

    sha256sum -c {sums}

IF IT COMES TWICE
A line may break when the report was sent but not yet confirmed. It is then sent
once more, with the same identifier, and says that it is a repetition. Two
packages with one identifier are one report.

WHO MAY HAVE READ IT
The package was encrypted to these keys and to nobody else:

{letter.recipients.text}"""
