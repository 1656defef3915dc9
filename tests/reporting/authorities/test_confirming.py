"""Who stands for which row of the directory, and what this house writes into it."""

from pathlib import Path

import pytest
from sqlalchemy import select

from tests.cases.world import OPERATOR
from tests.reporting.authorities.test_routing import case, of, whom
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from tutela.ledger.tables import ledger_entries
from tutela.reporting.authorities.changing import NewDuty, add_authority, set_channel
from tutela.reporting.authorities.confirming import confirm, withdraw
from tutela.reporting.authorities.model import (
    AuthorityKind,
    Binding,
    Directory,
    Incident,
    Origin,
    Standing,
)
from tutela.reporting.authorities.routing import Outcome, route
from tutela.reporting.authorities.standing import directory_now
from tutela.reporting.model import ChannelKind
from tutela.storage.database import Database
from tutela.storage.settings import Settings

AU_DUTY, AU = "au-criminal-code-474-25", "au-afp"
KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
WHO = OPERATOR.actor


def now(settings: Settings, database: Database) -> Directory:
    with database.reading() as connection:
        return directory_now(connection, settings)


def stand_for(settings, database, clock, *rows: str, source="our counsel's letter") -> None:
    for row in rows:
        with database.writing() as connection:
            confirm(connection, settings, row, WHO, clock, source=source)


def add(settings, database, clock, authority="fr-hotline", duty=None, **values):
    with database.writing() as connection:
        return add_authority(
            connection,
            settings,
            WHO,
            clock,
            authority=authority,
            **{
                "name": "The hotline",
                "country": "FR",
                "kind": AuthorityKind.HOTLINE,
                "duty": duty,
                "source": "their page",
            }
            | values,
        )


def set_way(settings, database, clock, kind=ChannelKind.SEALED_MAIL, authority="gb-iwf", **values):
    with database.writing() as connection:
        return set_channel(
            connection,
            settings,
            WHO,
            clock,
            authority=authority,
            kind=kind,
            **{"source": "their letter"} | values,
        )


def entered(database: Database) -> list[tuple[str, str]]:
    with database.reading() as connection:
        rows = connection.execute(
            select(ledger_entries.c.act, ledger_entries.c.thing)
            .where(ledger_entries.c.act.like("authority.%"))
            .order_by(ledger_entries.c.number)
        )
        return [(row.act, row.thing.split(":", 1)[1].rpartition(":")[0]) for row in rows]


def test_what_is_confirmed_is_gone_by_and_what_is_withdrawn_no_more(
    settings, database, clock
) -> None:
    assert whom(route(now(settings, database), case("AU"))) == []
    stand_for(settings, database, clock, AU_DUTY, AU)
    directory = now(settings, database)
    assert whom(route(directory, case("AU"))) == [f"{AU_DUTY} > {AU}"]
    confirmation = directory.row(AU).confirmation
    assert (confirmation.confirmed_by, confirmation.source) == (WHO.id, "our counsel's letter")
    assert confirmation.confirmed_at == clock()
    with database.writing() as connection:
        row = withdraw(connection, settings, AU_DUTY, WHO, clock, reason="it was amended")
    assert row.standing is Standing.UNVERIFIED
    assert whom(route(now(settings, database), case("AU"))) == []
    stand_for(settings, database, clock, AU_DUTY)
    assert entered(database) == [
        ("authority.row-confirmed", AU_DUTY),
        ("authority.row-confirmed", AU),
        ("authority.confirmation-withdrawn", AU_DUTY),
        ("authority.row-confirmed", AU_DUTY),
    ]


def test_nothing_is_confirmed_twice_or_without_a_source_or_without_need(
    settings, database, clock
) -> None:
    stand_for(settings, database, clock, AU)
    with pytest.raises(AlreadyExistsError, match="confirmed already"):
        stand_for(settings, database, clock, AU)
    with pytest.raises(AlreadyExistsError, match="us-ncmec is verified"):
        stand_for(settings, database, clock, "us-ncmec")
    with pytest.raises(InvalidInputError, match="on what source"):
        stand_for(settings, database, clock, AU_DUTY, source=" ")
    with pytest.raises(NotFoundError, match='no row "nobody"'):
        stand_for(settings, database, clock, "nobody")
    assert len(entered(database)) == 1


@pytest.mark.parametrize("row", ["us-ncmec", AU])
def test_only_a_confirmation_is_withdrawn(settings, database, clock, row: str) -> None:
    with database.writing() as connection, pytest.raises(NotFoundError, match="nobody has confirm"):
        withdraw(connection, settings, row, WHO, clock, reason="no")


def test_a_row_whose_terms_change_has_to_be_confirmed_again(settings, database, clock) -> None:
    stand_for(settings, database, clock, AU_DUTY, AU)
    own = Path(settings.data) / "own.toml"
    own.write_text(
        f'[[duty]]\nid = "{AU_DUTY}"\nversion = 2\nauthority = "{AU}"\nestablished = ["AU"]\n'
        'incidents = ["material"]\nbinding = "must"\nlaw = "the new one"\n',
        encoding="utf-8",
    )
    reporting = settings.reporting.model_copy(update={"authorities": own})
    changed = settings.model_copy(update={"reporting": reporting})
    found = of(route(now(changed, database), case("AU")), AU_DUTY)
    assert found.outcome is Outcome.WOULD_APPLY
    stand_for(changed, database, clock, AU_DUTY)
    assert whom(route(now(changed, database), case("AU"))) == [f"{AU_DUTY} > {AU}"]


def test_an_authority_of_ones_own_is_told_when_it_is_said(settings, database, clock) -> None:
    duty = NewDuty(
        ("US",), ("FR",), (Incident.MATERIAL,), Binding.MUST, "our agreement", within_hours=12
    )
    added = add(settings, database, clock, duty=duty)
    assert (added.origin, added.standing) == (Origin.HOUSE, Standing.CONFIRMED)
    assert whom(route(now(settings, database), case("US", "FR"))) == [
        "us-2258a-apparent > us-ncmec",
        "fr-hotline-duty > fr-hotline",
    ]
    assert len(whom(route(now(settings, database), case("US", "BE")))) == 1
    assert entered(database) == [
        ("authority.row-added", "fr-hotline"),
        ("authority.row-added", "fr-hotline-duty"),
    ]


def test_a_hotline_of_ones_country_takes_what_hotlines_take(settings, database, clock) -> None:
    add(settings, database, clock)
    stand_for(settings, database, clock, "hotline-of-the-country")
    assert whom(route(now(settings, database), case("FR"))) == [
        "hotline-of-the-country > fr-hotline"
    ]


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({"authority": "us-ncmec"}, AlreadyExistsError, "has a row us-ncmec"),
        ({"authority": "us-2258a-apparent"}, AlreadyExistsError, "has a row us-2258a-apparent"),
        ({"authority": "A hotline"}, InvalidInputError, "small letters"),
        ({"country": "FRANCE"}, InvalidInputError, "two letters, such as FR, or a group: EU"),
        ({"name": " "}, InvalidInputError, "name"),
        ({"source": ""}, InvalidInputError, "on what source"),
    ],
)
def test_what_cannot_be_meant_is_not_added(settings, database, clock, values, error, said) -> None:
    with pytest.raises(error, match=said):
        add(settings, database, clock, **values)
    assert entered(database) == []


def test_a_sealed_mail_can_be_used_once_its_address_and_key_are_set(
    settings, database, clock
) -> None:
    half = set_way(settings, database, clock, address="desk@hotline.example")
    assert (half.lacks, half.is_ready) == ("its public key", False)
    whole = set_way(settings, database, clock, recipients=f"# theirs\n{KEY}\n")
    assert (whole.address, whole.recipients) == ("desk@hotline.example", f"{KEY}\n")
    assert (whole.version, whole.is_ready) == (2, True)
    assert now(settings, database).channels["gb-iwf:sealed-mail"] == whole
    assert entered(database) == [("authority.channel-set", "gb-iwf:sealed-mail")] * 2


def test_a_way_that_is_set_takes_the_place_of_the_one_in_the_file(
    settings, database, clock
) -> None:
    set_way(
        settings,
        database,
        clock,
        ChannelKind.FORM,
        authority="gb-nca",
        address="https://portal.nca.example/",
    )
    found = of(route(now(settings, database), case("GB")), "gb-osa-66-here")
    assert found.channel.address == "https://portal.nca.example/"
    with database.writing() as connection:
        withdraw(connection, settings, "gb-nca:form", WHO, clock, reason="it has moved")
    assert of(route(now(settings, database), case("GB")), "gb-osa-66-here").channel is None


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        (ChannelKind.SEALED_MAIL, {"address": "desk"}, "one mail address"),
        (ChannelKind.SEALED_MAIL, {"address": "a@b.example, c@d.example"}, "one mail address"),
        (ChannelKind.SEALED_MAIL, {"address": "A <a@b.example>"}, "one mail address"),
        (ChannelKind.SEALED_MAIL, {"recipients": "age1nonsense"}, "not a public key"),
        (ChannelKind.SEALED_MAIL, {"recipients": "AGE-SECRET-KEY-1"}, "private key"),
        (ChannelKind.WEBHOOK, {"address": "https://127.0.0.1/"}, "private network"),
        (ChannelKind.WEBHOOK, {"address": "http://hotline.example/"}, "https://"),
        (ChannelKind.FORM, {"address": "javascript:alert(1)"}, "https://"),
        (ChannelKind.FORM, {"recipients": KEY}, "leave it out"),
        (ChannelKind.CYBERTIPLINE, {"address": "https://x.example"}, "leave it out"),
        (ChannelKind.SEALED_MAIL, {"source": ""}, "on what source"),
    ],
)
def test_what_cannot_be_reached_is_not_set(settings, database, clock, kind, values, said) -> None:
    with pytest.raises(InvalidInputError, match=said):
        set_way(settings, database, clock, kind, **values)
    assert entered(database) == []


def test_nobody_is_reached_who_is_not_there(settings, database, clock) -> None:
    with pytest.raises(NotFoundError, match='no authority "nobody"'):
        set_way(settings, database, clock, authority="nobody", address="a@b.example")
