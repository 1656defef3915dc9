"""The service signs what is entered, and a ledger that was rolled back stops no screening."""

import pytest
from sqlalchemy import delete, update

from tests.waiting import comes_true
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.places.choosing import second_place
from tutela.ledger.reading import newest_entries, read_head
from tutela.ledger.tables import ledger_entries, ledger_head, ledger_tiles
from tutela.ledger.verifying import verify
from tutela.storage.database import Database

MD5 = "0123456789abcdef" * 2


def ledger_check(house) -> dict[str, object]:
    checks = house.stranger().get("/readyz").json()["checks"]
    return next(each for each in checks if each["name"] == "ledger")


def test_what_callers_do_is_entered_and_signed_when_the_service_stops(
    make_house, settings, clock
) -> None:
    with make_house() as house:
        house.add("partner", {"kind": "md5", "hash": MD5})
        answer = house.client.post("/v1/screen", json={"fingerprints": {"md5": MD5}})
        case = answer.json()["case"]
        with house.service.database.reading() as connection:
            entries = newest_entries(connection, 10)[::-1]
        assert [entry.act for entry in entries] == [
            "key.added",
            "list.created",
            "list.entries-added",
            "case.opened",
        ]
        assert entries[3].case == case
        assert {(entry.actor, entry.role, entry.face) for entry in entries[1:]} == {
            ("key:1", "program", "api")
        }
        assert comes_true(lambda: ledger_check(house)["ok"])
    database = Database.open(settings)
    place = second_place(settings)
    assert max(place.names()).startswith(f"{4:020d}")
    verifier = Checkpoints(database, settings, clock).verifier()
    verified = verify(database, settings, place, verifier)
    assert (verified.findings, verified.covered) == ([], 4)
    database.close()


def test_a_service_over_a_database_that_was_rolled_back_says_so_and_screens(
    make_house, settings, clock, capfd: pytest.CaptureFixture[str]
) -> None:
    with make_house() as house:
        house.add("partner", {"kind": "md5", "hash": MD5})
        with house.service.database.reading() as connection:
            assert read_head(connection).size == 3
    with Database.open(settings).writing() as connection:
        connection.execute(delete(ledger_tiles))
        connection.execute(delete(ledger_entries))
        connection.execute(update(ledger_head).values(size=0, frontier=b""))
    with make_house() as house:
        assert comes_true(lambda: not ledger_check(house)["ok"])
        assert house.stranger().get("/readyz").status_code == 200
        for md5, verdict in ((MD5, "match"), ("0" * 32, "clear")):
            answer = house.client.post("/v1/screen", json={"fingerprints": {"md5": md5}})
            assert answer.json()["verdict"] == verdict
    assert "was rolled back or its end cut off" in capfd.readouterr().err
