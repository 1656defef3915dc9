"""What matches over HTTP is sealed before the caller hears of it; what is clear leaves nothing."""

import pytest
from sqlalchemy import select

from tests.evidence.sealing import blob_files, opened
from tests.pictures import drawn, encoded
from tests.waiting import comes_true
from tutela.evidence.model import ItemId
from tutela.evidence.tables import evidence_items
from tutela.storage.settings import OnMatch, Policy

KNOWN, OTHER = encoded(drawn(1)), encoded(drawn(2))


def evidence_of(house, case: str) -> list[dict]:
    items = house.client.get(f"/v1/cases/{case}").json()["items"]
    return [each["evidence"] for each in items if each["evidence"]]


def content_of(house, case: str) -> bytes:
    (evidence,) = evidence_of(house, case)
    assert evidence["state"] == "sealed"
    return opened(house.service.screening.vault, ItemId(evidence["item"]))


def test_a_file_that_matches_is_sealed(make_house) -> None:
    with make_house() as house:
        house.add_picture("partner", KNOWN)
        answer = house.client.post("/v1/screen", files={"file": ("a.png", KNOWN)}).json()
        assert content_of(house, answer["case"]) == KNOWN


def test_files_of_a_batch_are_sealed_each_for_its_case(make_house) -> None:
    with make_house() as house:
        house.add_picture("partner", KNOWN)
        house.add_picture("partner", OTHER)
        files = [("file", content) for content in (KNOWN, encoded(drawn(3)), OTHER, KNOWN)]
        answer = house.client.post("/v1/screen/batch", files=files).json()["results"]
        cases = [each.get("case") for each in answer]
        assert cases[1] is None
        assert [content_of(house, case) for case in (cases[0], *cases[2:])] == [KNOWN, OTHER, KNOWN]
        assert len(blob_files(house.settings)) == 2


def test_fingerprints_alone_leave_a_case_without_evidence(make_house) -> None:
    with make_house() as house:
        house.add_digest("partner", KNOWN)
        known = {"sha256": house.fingerprints(KNOWN)["sha256"]}
        answer = house.client.post("/v1/screen", json={"fingerprints": known}).json()
        assert answer["verdict"] == "match"
        assert evidence_of(house, answer["case"]) == []


def test_a_request_sent_again_seals_nothing_again(make_house) -> None:
    with make_house() as house:
        house.add_picture("partner", KNOWN)
        for _ in range(3):
            answer = house.client.post(
                "/v1/screen", files={"file": KNOWN}, headers={"Idempotency-Key": "x"}
            )
            assert answer.json()["verdict"] == "match"
        with house.service.database.reading() as connection:
            assert len(connection.execute(select(evidence_items.c.id)).all()) == 1
        assert len(blob_files(house.settings)) == 1


@pytest.mark.parametrize(("on_match", "sealed"), [(OnMatch.PASS, 1), (OnMatch.COUNT, 0)])
def test_the_policy_says_whether_it_is_sealed(make_house, on_match: OnMatch, sealed: int) -> None:
    with make_house(policy=Policy(on_match=on_match)) as house:
        house.add_picture("partner", KNOWN)
        answer = house.client.post("/v1/screen", files={"file": KNOWN}).json()
        assert answer["verdict"] == "clear"
        assert len(blob_files(house.settings)) == sealed


def test_a_file_that_matches_is_nowhere_in_the_clear(make_house) -> None:
    with make_house() as house:
        house.add_digest("partner", KNOWN)
        house.client.post("/v1/screen", files={"file": ("a.png", KNOWN)})
        with house.service.database.reading() as connection:
            (item,) = connection.execute(select(evidence_items.c.id)).scalars()
        data_key = house.service.screening.vault.data_key(ItemId(item))
        for part in (KNOWN[:64], KNOWN[len(KNOWN) // 2 :][:64], KNOWN[-64:], data_key):
            for form in (part, part.hex().encode()):
                assert not [name for name, kept in house.everything_kept() if form in kept]


def test_what_is_clear_never_reaches_the_vault(make_house) -> None:
    with make_house() as house:
        house.add_picture("partner", KNOWN)
        assert house.client.post("/v1/screen", files={"file": OTHER}).json()["verdict"] == "clear"
        assert blob_files(house.settings) == []


def test_a_service_whose_key_is_lost_stays_up_and_acknowledges_no_match(make_house) -> None:
    with make_house() as house:
        house.add_picture("partner", KNOWN)
        key = house.settings.keys_folder / "vault.key"
        away = key.rename(key.with_suffix(".away"))
        answer = house.client.post("/v1/screen", files={"file": KNOWN})
        assert answer.status_code == 503
        assert house.client.get("/v1/cases").json() == {"cases": []}
        assert house.stranger().get("/readyz").status_code == 503
        assert house.client.post("/v1/screen", files={"file": OTHER}).json()["verdict"] == "clear"
        assert not key.exists()
        away.rename(key)
        answer = house.client.post("/v1/screen", files={"file": KNOWN}).json()
        assert content_of(house, answer["case"]) == KNOWN
        assert comes_true(lambda: house.stranger().get("/readyz").status_code == 200)
