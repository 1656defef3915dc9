"""What could not be looked at has an answer by the policy, and somebody sees it."""

import hashlib
import zipfile
from collections.abc import Iterator
from io import BytesIO

import httpx
import pytest

from tests.archived import zipped
from tests.conftest import TurnedClock
from tests.console.visitors import signed_in
from tests.house import House, running_house
from tests.pictures import drawn, encoded
from tutela.accounts.permissions import Permission, Role
from tutela.console.language import languages
from tutela.evidence.key_registry import prepare_keys
from tutela.storage.settings import OnEachUnreadable, OnUnreadable, load_settings

POLICY = OnEachUnreadable(ends_early=OnUnreadable.QUEUE)
HALF = encoded(drawn(3), "GIF")[:-4_000]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data", cells=1, job_threads=0, unreadable=POLICY
    )
    with running_house(settings, TurnedClock()) as house:
        vault = house.service.screening.vault
        prepare_keys(vault.keyring, vault.database, lambda _: None)
        yield house


def encrypted(name: str) -> bytes:
    """An archive that says of its member that it is encrypted."""
    content = bytearray(zipped({name: b"words"}, zipfile.ZIP_STORED))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    return bytes(content)


def screened(client: httpx.Client, content: bytes, name: str, **headers: str) -> dict[str, str]:
    files = {"file": (name, BytesIO(content))}
    answer = client.post("/v1/screen", files=files, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_reason_has_its_answer(house: House) -> None:
    refused = screened(house.client, b"words", "a.jpg")
    assert (refused["unreadable"], refused["action"]) == ("wrong_name", "refuse")
    passed = screened(house.client, encrypted("a.txt"), "a.zip")
    assert (passed["unreadable"], passed["action"]) == ("encrypted", "pass")
    assert passed["reason"] == "a.txt: it is encrypted"
    assert "case" not in refused | passed
    assert screened(house.client, encoded(drawn(3)), "a.png") == {"verdict": "clear"}


def test_one_reason_to_let_it_pass_does_not_make_up_for_another_to_refuse_it(
    house: House,
) -> None:
    inner = {"a.zip": encrypted("a.txt"), "b.png": encoded(drawn(2))[:2_000]}
    answer = screened(house.client, zipped({**inner, "c.zip": zipped({"d.zip": zipped({"e.zip":
        zipped({})})})}), "all.zip")  # fmt: skip
    assert answer["action"] == "refuse"


def test_of_reasons_that_decide_alike_the_first_one_found_is_told(house: House) -> None:
    inner = {"a.zip": encrypted("a.txt"), "b.rar": b"Rar!\x1a\x07\x01\x00", "c.zip": encrypted("c")}
    answer = screened(house.client, zipped(inner), "all.zip")
    assert (answer["unreadable"], answer["action"]) == ("encrypted", "pass")
    assert answer["reason"] == "a.zip/a.txt: it is encrypted"


def test_what_is_for_a_person_has_a_case_that_says_why_and_can_wait(house: House) -> None:
    program = house.client_with(Permission.SCREEN)
    files = zipped({"b.gif": HALF})
    answer = screened(program, files, "b.zip", **{"Idempotency-Key": "b"})
    assert (answer["verdict"], answer["action"]) == ("unreadable", "queue")
    assert screened(program, files, "b.zip", **{"Idempotency-Key": "b"}) == answer
    case = house.client.get(f"/v1/cases/{answer['case']}").json()
    assert case["facts"] == ["unreadable"]
    assert case["why"][0] == "no program could look at it: put back by 7 days"
    (item,) = case["items"]
    assert (item["unreadable"], item["unreadable_at"]) == ("ends_early", "b.gif")
    assert item["evidence"]["state"] == "sealed"
    assert not case["severe"]
    reviewer, _ = signed_in(house, Role.REVIEWER)
    page = reviewer.get(f"/cases/{answer['case']}").text
    assert f"{languages()['en'].texts['unreadable_ends_early']} <span" in page


def test_of_what_has_no_case_nothing_is_left(house: House) -> None:
    name, content = "somebodys-own-name.zip", encrypted("somebodys-other-name.txt")
    screened(house.client, content, name)
    house.service.screening.counts.save(house.service.database)
    sought = [
        b"somebodys",
        hashlib.sha256(content).digest(),
        hashlib.sha256(content).hexdigest().encode(),
        hashlib.md5(content).digest(),
    ]
    for place, kept in house.everything_kept():
        assert not any(each in kept for each in sought), place


def test_operators_see_counts_and_samples(house: House) -> None:
    screened(house.client, b"words", "b.jpg")
    screened(house.client, encrypted("b.txt"), "b.ZIP")
    metrics = house.client.get("/metrics").text
    assert (
        'tutela_unreadable_files_total{answer="pass",decoder="ZIP",reason="encrypted"}' in metrics
    )
    found = house.client_with(Permission.NUMBERS_READ).get("/v1/unreadable?days=7").json()
    reasons = {each["reason"]: each for each in found["reasons"]}
    assert reasons["encrypted"]["policy"] == "pass"
    assert reasons["encrypted"]["decoders"] == {"ZIP": reasons["encrypted"]["files"]}
    assert found["samples"][0]["named"] == ".zip"
    assert len(found["days"]) == 7
    operator, _ = signed_in(house, Role.ADMINISTRATOR)
    for tag, language in languages().items():
        page = operator.get("/unreadable", params={"lang": tag})
        assert page.status_code == 200
        for key in ("unreadable_encrypted", "unreadable_do_encrypted", "unreadable_samples"):
            assert language.texts[key] in page.text
    assert "tutela_unreadable" not in house.stranger().get("/metrics").text
