"""The page of authorities tells of the directory that there is, and its example is one."""

from pathlib import Path

from tutela.reporting.authorities.model import Authority, Duty, Origin, Row
from tutela.reporting.authorities.reading import read_directory, written_directory
from tutela.storage.settings import Settings, load_settings

PAGE = (Path(__file__).parents[2] / "docs" / "authorities.md").read_text(encoding="utf-8")
DIRECTORY = written_directory(load_settings())


def state(row: Row) -> str:
    return f"verified {row.checked_on}" if row.counts else "unverified"


def authority_row(row: Authority) -> str:
    ways = [way.kind if way.counts else f"({way.kind})" for way in DIRECTORY.channels_of(row.id)]
    return (
        f"| `{row.id}` | {row.name} | {row.country} | {row.kind} | {', '.join(ways) or '-'} "
        f"| {state(row)} |"
    )


def duty_row(row: Duty) -> str:
    whom = f"`{row.authority}`" if row.authority else f"{row.authority_kind} of the country"
    about = ", ".join(row.incidents)
    return f"| `{row.id}` | {row.law} | {row.binding} | {whom} | {about} | {state(row)} |"


def table(heading: str) -> list[str]:
    section = PAGE.split(heading)[1].split("\n#")[0]
    return [line for line in section.splitlines() if line.startswith("| `")]


def test_the_page_has_every_authority_with_its_state_and_no_other() -> None:
    assert table("### The authorities") == [
        authority_row(each) for each in DIRECTORY.authorities.values()
    ]


def test_the_page_has_every_duty_with_its_state_and_no_other() -> None:
    assert table("### The duties") == [duty_row(each) for each in DIRECTORY.duties.values()]


def test_the_examples_can_be_used() -> None:
    settings, own, *_ = [part.split("```")[0] for part in PAGE.split("```toml\n")[1:]]
    assert settings.splitlines()[0] == "[reporting]"
    assert Settings.model_fields["reporting"]
    directory = read_directory(own, "the example", Origin.FILE)
    assert directory.row("fr-hotline").counts
    assert directory.row("fr-hotline:sealed-mail").is_ready
    assert not directory.row("fr-hotline-duty").counts
