"""A webhook is added once, its secret is shown once, and nothing of it lies open."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.webhooks.conftest import ACTOR
from tutela.errors import InvalidInputError, NotFoundError, StorageError
from tutela.ledger.tables import ledger_entries
from tutela.storage.database import Database
from tutela.webhooks.endpoints import (
    add_endpoint,
    all_endpoints,
    change_endpoint,
    find_endpoint,
    remove_endpoint,
    rotate_secret,
    valid_secrets,
)
from tutela.webhooks.model import EndpointId, EventKind
from tutela.webhooks.tables import webhook_secrets


def test_a_webhook_is_as_it_was_added(database: Database, clock, added, receiver) -> None:
    with database.reading() as connection:
        (found,) = all_endpoints(connection, clock)
    assert found == added.endpoint
    assert (found.name, found.url, found.is_on) == ("forum", receiver.address, True)
    assert added.secret.startswith("whsec_")


def test_its_secret_is_in_no_file_of_the_house(settings, database, clock, added) -> None:
    with database.reading() as connection:
        sealed = connection.execute(select(webhook_secrets.c.sealed)).scalar_one()
        assert valid_secrets(connection, settings, added.endpoint.id, clock()) == [added.secret]
    plain = added.secret.encode()
    assert plain not in sealed
    assert not any(
        plain in file.read_bytes() for file in settings.data.rglob("*") if file.is_file()
    )


def test_without_the_key_the_secret_stays_shut(settings, database, clock, added) -> None:
    (settings.keys_folder / "secrets.key").unlink()
    with database.reading() as connection, pytest.raises(StorageError, match="put back the copy"):
        valid_secrets(connection, settings, added.endpoint.id, clock())


def test_two_secrets_are_valid_for_a_while_after_a_rotation(
    settings, database, clock, added
) -> None:
    number = added.endpoint.id
    with database.writing() as connection:
        second = rotate_secret(connection, settings, number, ACTOR, clock)
    assert second.secret != added.secret
    assert second.endpoint.old_secret_until == clock() + timedelta(hours=24)
    with database.writing() as connection:
        assert valid_secrets(connection, settings, number, clock()) == [
            second.secret,
            added.secret,
        ]
        clock.turn(hours=1)
        third = rotate_secret(connection, settings, number, ACTOR, clock)
        # Never more than two: the first was given up by the second rotation.
        assert valid_secrets(connection, settings, number, clock()) == [third.secret, second.secret]
        clock.turn(hours=24)
        assert valid_secrets(connection, settings, number, clock()) == [third.secret]


def test_a_webhook_can_be_changed_switched_off_and_removed(
    settings, database, clock, added
) -> None:
    number = added.endpoint.id
    with database.writing() as connection:
        changed = change_endpoint(
            connection,
            settings,
            number,
            ACTOR,
            clock,
            name="shop",
            events=[EventKind.ITEM_LIFTED],
            is_on=False,
        )
    assert (changed.name, changed.is_on) == ("shop", False)
    assert changed.events == {EventKind.ITEM_LIFTED}
    with database.writing() as connection:
        remove_endpoint(connection, number, ACTOR, clock, reason="moved")
    with database.reading() as connection:
        assert all_endpoints(connection, clock) == []
        assert connection.execute(select(webhook_secrets)).all() == []
        with pytest.raises(NotFoundError, match="tutela webhook ls"):
            find_endpoint(connection, number, clock)
        acts = connection.execute(
            select(ledger_entries.c.act, ledger_entries.c.thing).order_by(ledger_entries.c.number)
        )
        assert [tuple(row) for row in acts] == [
            ("webhook.added", "webhook:1"),
            ("webhook.changed", "webhook:1"),
            ("webhook.removed", "webhook:1"),
        ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "x" * 101},
        {"events": []},
        {"events": [EventKind.TEST]},
        {"url": "http://192.168.0.1/"},
    ],
)
def test_what_cannot_be_used_is_refused(settings, database, clock, wrong) -> None:
    good = {"name": "x", "url": "https://x.example/", "events": [EventKind.ITEM_LIFTED]}
    with pytest.raises(InvalidInputError), database.writing() as connection:
        add_endpoint(connection, settings, ACTOR, clock, **{**good, **wrong})
    with database.writing() as connection, pytest.raises(NotFoundError):
        rotate_secret(connection, settings, EndpointId(99), ACTOR, clock)
