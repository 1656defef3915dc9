"""The directory of the package and of the operator."""

import tomllib
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from tutela.errors import NotFoundError, SettingsError
from tutela.reporting.authorities.model import Origin, Standing
from tutela.reporting.authorities.reading import read_directory, written_directory
from tutela.reporting.model import ChannelKind
from tutela.storage.settings import Settings, load_settings

OWN = """
[[authority]]
id = "fr-hotline"
version = 1
name = "A hotline"
country = "FR"
kind = "hotline"
source = "their letter of 3 May"
checked_on = 2026-05-04

[[duty]]
id = "{duty}"
version = {version}
authority = "{authority}"
established = ["FR"]
incidents = ["material"]
binding = "must"
law = "a law"
within_hours = 48
"""


def settings_with(folder: Path, text: str) -> Settings:
    file = folder / "authorities.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(reporting={"authorities": file})


def own(duty="fr-duty", version=1, authority="fr-hotline") -> str:
    return OWN.format(duty=duty, version=version, authority=authority)


def test_a_row_has_a_source_and_a_day_or_neither() -> None:
    text = (files("tutela.reporting.authorities") / "directory.toml").read_text(encoding="utf-8")
    written = tomllib.loads(text)
    for kind in ("authority", "channel", "duty"):
        for row in written[kind]:
            assert bool(row["source"]) == ("checked_on" in row), row
            assert row.get("checked_on", date(2026, 1, 1)) <= datetime.now(UTC).date()
    for group in written["group"]:
        assert group["source"]
        assert group["checked_on"]


def test_every_unverified_row_says_what_is_not_sure() -> None:
    for row in written_directory(load_settings()).rows():
        assert row.notes or row.counts, row.id


def test_the_union_has_twenty_seven_members() -> None:
    directory = written_directory(load_settings())
    assert len(directory.groups["EU"]) == 27
    assert directory.is_in("DE", ("EU",))
    assert not directory.is_in("GB", ("EU",))
    assert directory.is_in("GB", ("*",))


def test_what_was_read_is_verified_and_what_was_not_is_not() -> None:
    directory = written_directory(load_settings())
    standings = {row.id: row.standing for row in directory.rows()}
    assert standings["us-ncmec"] is Standing.VERIFIED
    assert standings["us-2258a-apparent"] is Standing.VERIFIED
    assert standings["au-criminal-code-474-25"] is Standing.UNVERIFIED
    assert standings["gb-nca:form"] is Standing.UNVERIFIED


def test_the_operators_rows_add_to_the_packages(tmp_path: Path) -> None:
    directory = written_directory(settings_with(tmp_path, own()))
    assert directory.row("us-ncmec").origin is Origin.PACKAGE
    assert directory.row("fr-hotline").origin is Origin.FILE
    assert directory.row("fr-hotline").standing is Standing.VERIFIED
    assert directory.duties["fr-duty"].within_hours == 48
    assert directory.duties_to("fr-hotline")[0].id == "fr-duty"


def test_the_operators_row_takes_the_place_of_the_packages(tmp_path: Path) -> None:
    packaged = written_directory(load_settings()).duties["us-2258a-apparent"]
    changed = written_directory(settings_with(tmp_path, own(duty="us-2258a-apparent", version=2)))
    row = changed.duties["us-2258a-apparent"]
    assert row.authority == "fr-hotline"
    assert row.standing is Standing.UNVERIFIED
    assert row.digest != packaged.digest


def test_a_mended_note_leaves_the_terms_alone_and_another_law_does_not() -> None:
    def digest(text: str) -> str:
        return read_directory(text, "x", Origin.FILE).duties["fr-duty"].digest

    noted = own() + 'notes = "a word"\n'
    assert digest(noted) == digest(own())
    assert digest(own().replace("within_hours = 48", "within_hours = 24")) != digest(own())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not toml", "is not valid TOML"),
        (own(authority="nobody"), "fr-duty: there is no authority nobody"),
        (own() + own(), "fr-hotline is there twice"),
        (own(duty="fr-hotline"), "fr-hotline is there twice"),
        (own(duty="us-ncmec"), "us-ncmec is an authority and a duty"),
        (own().replace('kind = "hotline"', 'kind = "shop"'), "authority.0.kind"),
        (own() + 'authority_kind = "police"\n', "not both"),
        (own().replace('["material"]', "[]"), "duty.0.incidents"),
        (own().replace('country = "FR"', 'country = "France"'), "authority.0.country"),
        (own().replace('["FR"]', '["FRANCE"]'), "neither a country of two letters nor a group"),
        ('[[channel]]\nauthority = "xx"\nkind = "form"\nversion = 1\n', "no authority xx"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        written_directory(settings_with(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = load_settings(reporting={"authorities": tmp_path / "none.toml"})
    with pytest.raises(SettingsError, match=r"reporting.authorities: .*none.toml cannot be read"):
        written_directory(settings)


def test_a_way_says_what_it_lacks() -> None:
    text = own() + (
        '[[channel]]\nauthority = "fr-hotline"\nversion = 1\nkind = "sealed-mail"\n'
        'source = "their letter"\nchecked_on = 2026-05-04\n'
    )
    (channel,) = read_directory(text, "x", Origin.FILE).channels_of("fr-hotline")
    assert channel.kind is ChannelKind.SEALED_MAIL
    assert channel.lacks == "its address and its public key"
    assert not channel.is_ready


def test_rows_that_are_not_there_are_named() -> None:
    directory = written_directory(load_settings())
    with pytest.raises(NotFoundError, match='no row "xx"'):
        directory.row("xx")
    with pytest.raises(NotFoundError, match='no authority "us-2258a-apparent"'):
        directory.authority("us-2258a-apparent")


@pytest.mark.parametrize("country", ["us", "USA", "EU1"])
def test_a_country_is_two_letters(country: str) -> None:
    with pytest.raises(SettingsError, match="two capital letters"):
        load_settings(reporting={"establishment": country})
