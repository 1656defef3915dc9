"""A receiver is told of what is true, signed, and until it has taken it."""

import json
import threading

import pytest
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook

from tests.ledger.mail_server import running_mail_server
from tests.webhooks.conftest import ACTOR
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import State, kinds_by_name
from tutela.storage.jobs.performing import perform
from tutela.storage.jobs.tending import kept_jobs
from tutela.storage.settings import Mail, MailSecurity
from tutela.webhooks.endpoints import change_endpoint, find_endpoint, remove_endpoint, rotate_secret
from tutela.webhooks.jobs import kinds_of_webhooks
from tutela.webhooks.log import deliveries, find_delivery
from tutela.webhooks.model import DeliveryState, Event, EventKind
from tutela.webhooks.sending import announce, send_again, send_test
from tutela.webhooks.tables import webhook_deliveries, webhook_events

LIFTED = Event(
    EventKind.ITEM_LIFTED,
    "7K3M-9QPD-2X4H",
    {"items": ["upload-17"], "subject": "user-5"},
    "decision:1",
)


def told_of(database, clock, event: Event = LIFTED) -> None:
    with database.writing() as connection:
        announce(connection, event, clock)


def log_of(database, **wanted):
    with database.reading() as connection:
        return deliveries(connection, **wanted)


def test_a_receiver_is_told_signed(database, clock, added, receiver, work) -> None:
    told_of(database, clock)
    work()
    (told,) = receiver.told
    assert json.loads(told.body) == {
        "type": "item.lifted",
        "timestamp": "2026-01-15T12:00:00+00:00",
        "data": {
            "number": 1,
            "case": "7K3M-9QPD-2X4H",
            "items": ["upload-17"],
            "subject": "user-5",
        },
    }
    # The clock of the test stands in another year, which the library's verify would refuse.
    assert told.headers["webhook-signature"] == Webhook(added.secret).sign(
        told.message, clock(), told.body.decode()
    )
    assert told.headers["webhook-timestamp"] == str(int(clock().timestamp()))
    assert told.headers["content-type"] == "application/json"
    (delivery,) = log_of(database)
    assert delivery.state is DeliveryState.DELIVERED
    assert (delivery.message, delivery.attempts[0].status) == (told.message, 204)


def test_nobody_is_told_of_what_did_not_happen(database, clock, added, receiver, work) -> None:
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        announce(connection, LIFTED, clock)
        _ = 1 / 0
    work()
    assert receiver.told == []


def test_only_those_who_want_to_know_are_told(
    settings, database, clock, added, receiver, work
) -> None:
    with database.writing() as connection:
        change_endpoint(
            connection,
            settings,
            added.endpoint.id,
            ACTOR,
            clock,
            events=[EventKind.ITEM_BLOCKED],
        )
    told_of(database, clock)
    work()
    assert receiver.told == []
    with database.reading() as connection:
        assert connection.execute(select(webhook_events)).all() == []


def test_both_secrets_sign_during_a_rotation(
    settings, database, clock, added, receiver, work
) -> None:
    with database.writing() as connection:
        new = rotate_secret(connection, settings, added.endpoint.id, ACTOR, clock)
    told_of(database, clock)
    work()
    (told,) = receiver.told
    expected = [
        Webhook(secret).sign(told.message, clock(), told.body.decode())
        for secret in (new.secret, added.secret)
    ]
    assert told.headers["webhook-signature"].split(" ") == expected


def test_only_a_good_answer_counts(database, clock, added, receiver, work) -> None:
    receiver.headers["location"] = receiver.address + "/elsewhere"
    told_of(database, clock)
    statuses = (301, 307, 404, 410, 500)
    for status in statuses:
        receiver.status = status
        work()
        clock.turn(hours=1)
    # Where an answer points to, nobody goes.
    assert len(receiver.told) == len(statuses)
    (delivery,) = log_of(database)
    assert delivery.state is DeliveryState.WAITING
    assert [each.status for each in delivery.attempts] == list(reversed(statuses))
    assert all(str(each.status) in each.failure for each in delivery.attempts)


def test_a_receiver_that_was_down_for_days_is_told_all_of_it(
    database, clock, added, receiver, work
) -> None:
    receiver.status = 503
    for number in range(6):
        cause = Event(EventKind.ITEM_LIFTED, None, {"items": [f"u{number}"]}, f"decision:{number}")
        told_of(database, clock, cause)
    for _ in range(24):
        work()
        clock.turn(hours=2)
    tries = len(receiver.told)
    # About one each time, and not one for each message that waits.
    assert 24 <= tries < 3 * 24
    receiver.status = 204
    receiver.told.clear()
    clock.turn(hours=2)
    work()
    clock.turn(seconds=30)
    work()
    assert sorted(json.loads(each.body)["data"]["items"][0] for each in receiver.told) == sorted(
        f"u{number}" for number in range(6)
    )
    assert {each.state for each in log_of(database)} == {DeliveryState.DELIVERED}
    with database.reading() as connection:
        assert find_endpoint(connection, added.endpoint.id, clock).failing_since is None
        assert kept_jobs(connection) == []


def test_what_is_given_up_is_kept_for_a_person_who_is_told_once(
    settings, database, clock, added, receiver
) -> None:
    receiver.status = 500
    with running_mail_server() as mail:
        mailing = settings.model_copy(
            update={
                "webhooks": settings.webhooks.model_copy(update={"alert_to": "a@b.example"}),
                "mail": Mail(server="127.0.0.1", port=mail.port, security=MailSecurity.NONE),
            }
        )
        kinds = kinds_by_name(kinds_of_webhooks(mailing, database, clock))

        def work() -> None:
            while jobs := claim(database, kinds, clock, most=100, worker="test:1"):
                for job in jobs:
                    perform(database, job, kinds[job.kind], clock, lambda *_: None)

        told_of(database, clock)
        told_of(database, clock)
        for _ in range(14):
            work()
            clock.turn(hours=6)
        assert len(mail.received) == 1
        assert b"webhook" in mail.received[0]
        first, second = log_of(database)
        assert first.state is second.state is DeliveryState.FAILED
        assert len(log_of(database, state=DeliveryState.FAILED)) == 2
        with database.reading() as connection:
            assert len(kept_jobs(connection, state=State.DEAD)) == 2
        receiver.status = 200
        receiver.told.clear()
        for each in (first, second):
            with database.writing() as connection:
                send_again(connection, each.id, ACTOR, clock, reason="it is mended")
        work()
        assert set(receiver.messages()) == {first.message, second.message}
        assert {each.state for each in log_of(database)} == {DeliveryState.DELIVERED}
        assert len(mail.received) == 1


def test_a_delivery_can_be_had_again_under_the_same_id(
    database, clock, added, receiver, work
) -> None:
    told_of(database, clock)
    work()
    (delivery,) = log_of(database)
    with database.writing() as connection:
        send_again(connection, delivery.id, ACTOR, clock)
    work()
    assert receiver.messages() == [delivery.message] * 2


def test_the_test_button_says_what_the_receiver_answered(
    database, clock, added, receiver, work
) -> None:
    receiver.status, receiver.answer = 404, b"no such\npage" + b"x" * 5000
    with database.writing() as connection:
        delivery = send_test(connection, added.endpoint.id, ACTOR, clock)
    work()
    with database.reading() as connection:
        found = find_delivery(connection, delivery)
        # A test is no reason to leave the receiver alone, and no dead letter.
        assert find_endpoint(connection, added.endpoint.id, clock).failing_since is None
        assert kept_jobs(connection) == []
    assert found.state is DeliveryState.FAILED
    assert found.attempts[0].answer.startswith("no such page")
    assert len(found.attempts[0].answer) <= 200


def test_of_other_answers_nothing_is_kept(database, clock, added, receiver, work) -> None:
    receiver.status, receiver.answer = 500, b"a person's name"
    told_of(database, clock)
    work()
    assert log_of(database)[0].attempts[0].answer is None


def test_a_receiver_that_never_answers_costs_its_time_and_no_more(
    database, clock, added, receiver, work
) -> None:
    receiver.before_answer = threading.Event()
    told_of(database, clock)
    work()
    receiver.before_answer.set()
    (delivery,) = log_of(database)
    assert delivery.attempts[0].failure == "no answer within 2 seconds"
    assert 1500 < delivery.attempts[0].milliseconds < 8000


def test_what_waits_for_one_that_is_off_is_sent_when_it_is_on_again(
    settings, database, clock, added, receiver, work
) -> None:
    told_of(database, clock)
    with database.writing() as connection:
        change_endpoint(connection, settings, added.endpoint.id, ACTOR, clock, is_on=False)
    told_of(database, clock)
    work()
    assert receiver.told == []
    with database.writing() as connection:
        change_endpoint(connection, settings, added.endpoint.id, ACTOR, clock, is_on=True)
    clock.turn(hours=1)
    work()
    # What happened while it was off is not sent later.
    assert len(receiver.told) == 1


def test_one_that_is_removed_is_told_nothing_more(database, clock, added, receiver, work) -> None:
    told_of(database, clock)
    with database.writing() as connection:
        remove_endpoint(connection, added.endpoint.id, ACTOR, clock)
    work()
    assert receiver.told == []


def test_the_log_is_kept_for_its_time(settings, database, clock, added, receiver, work) -> None:
    told_of(database, clock)
    work()
    clock.turn(days=29)
    told_of(database, clock)
    work()
    clock.turn(days=2)
    kinds = kinds_by_name(kinds_of_webhooks(settings, database, clock))
    kinds["webhook.tidy"].run(None)
    with database.reading() as connection:
        assert len(connection.execute(select(webhook_deliveries)).all()) == 1
