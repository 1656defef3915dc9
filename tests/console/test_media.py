"""What a case is about is shown to its holder, in the session that asked, and nowhere else."""

import io
import re
from collections.abc import Iterator
from urllib.parse import unquote

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.actors import actor_called
from tests.archived import zipped
from tests.cases.looking import held, picture, sealed_case
from tests.cases.world import matched
from tests.conftest import TurnedClock
from tests.console.visitors import browser_of, new_person, new_session, signed_in
from tests.house import House, running_house
from tests.oracle import differing_bits
from tutela.accounts.calling import caller_of_person
from tutela.accounts.people import Person
from tutela.accounts.permissions import Role
from tutela.accounts.sessions import end_sessions_of
from tutela.cases.exposure import exposure_today
from tutela.cases.model import CaseId, ItemKind
from tutela.cases.viewing import end_lost
from tutela.cases.viewings import viewings_of_case, was_viewed
from tutela.console.language import languages
from tutela.evidence.vault import Vault
from tutela.fingerprints.model import Kind, Pdq
from tutela.fingerprints.pdq import pdq_of
from tutela.ledger.tables import ledger_entries
from tutela.storage.settings import load_settings

CLOCK = TurnedClock()
JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = load_settings(data=tmp_path_factory.mktemp("house") / "data", cells=1, job_threads=0)
    with running_house(settings, CLOCK) as house:
        yield house


def vault_of(house: House) -> Vault:
    return house.service.screening.vault


def at_work(
    house: House, content: bytes | None = None, kind: ItemKind = ItemKind.PICTURE
) -> tuple[httpx.Client, Person, str]:
    """A reviewer who holds a case, and the address of its item."""
    client, person = signed_in(house, Role.REVIEWER)
    case, item = sealed_case(vault_of(house), content or picture(), kind)
    held(vault_of(house), case, caller_of_person(person, "console"))
    return client, person, f"/cases/{case}/items/{item}"


def asked(client: httpx.Client, item: str, level: str = "whole", **values: object):
    why = "opened" if level == "veil" else "decide"
    return client.post(f"{item}/viewings", json={"level": level, "why": why} | values, headers=JSON)


def test_whoever_holds_the_case_is_shown_it_once(house: House) -> None:
    client, _, place = at_work(house)
    said = asked(client, place, colour=True).json()
    answer = client.get(said["address"])

    assert answer.status_code == 200
    assert Image.open(io.BytesIO(answer.content)).size == (320, 240)
    assert answer.headers["tutela-shown"] == "picture"
    again = client.get(said["address"])
    assert again.status_code == 404
    assert b"\xff\xd8" not in again.content
    ended = client.post(f"/viewings/{said['viewing']}/end", json={}, headers=JSON).json()
    assert ended == {"seconds": 0.0, "much": False}


def test_nothing_of_it_is_kept_by_a_browser(house: House) -> None:
    client, _, place = at_work(house)
    for level in ("veil", "part", "whole"):
        headers = client.get(asked(client, place, level).json()["address"]).headers
        assert headers["content-type"] == "image/jpeg"
        assert headers["cache-control"] == "no-store"
        assert headers["content-disposition"] == "inline"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "sandbox" in headers["content-security-policy"]


def test_the_address_is_of_no_use_to_anybody_else(house: House) -> None:
    client, person, place = at_work(house)
    address = asked(client, place).json()["address"]
    stranger = browser_of(house)
    other, _ = signed_in(house, Role.LEAD)
    database, clock = house.service.database, house.service.clock
    same_person = browser_of(house, new_session(database, clock, person))

    assert stranger.get(address).status_code == 303, "it leads to the sign-in"
    assert stranger.get(address).headers["location"].startswith("/sign-in")
    assert other.get(address).status_code == 404
    assert same_person.get(address).status_code == 404
    key = house.client.get(address, headers={"Accept": "text/html"})
    assert key.status_code == 303, "a key is nobody here"
    # As the address of a tab, or of another site's picture.
    for headers in ({"Sec-Fetch-Dest": "document"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.get(address, headers=headers).status_code == 403
    assert client.get(address).status_code == 200


def test_who_gave_the_case_back_or_signed_out_sees_no_more(house: House) -> None:
    client, person, place = at_work(house)
    address = asked(client, place).json()["address"]
    ben = caller_of_person(
        new_person(house.service.database, house.service.clock, Role.REVIEWER), "console"
    )
    held(vault_of(house), place.split("/")[2], ben)
    assert client.get(address).status_code == 403
    assert asked(client, place).status_code == 403

    client, person, place = at_work(house)
    address = asked(client, place).json()["address"]
    with house.service.database.writing() as connection:
        end_sessions_of(connection, person.id, actor_called("test"), CLOCK)
    assert client.get(address).status_code == 303


@pytest.mark.parametrize("role", [Role.INTAKE, Role.CUSTODIAN, Role.AUDITOR, Role.ADMINISTRATOR])
def test_roles_that_never_look_are_refused(house: House, role: Role) -> None:
    _, _, place = at_work(house)
    client, _ = signed_in(house, role)
    assert asked(client, place, "veil").status_code == 403


def test_more_than_a_veil_asks_for_a_proof_first(house: House) -> None:
    client, person = signed_in(house, Role.REVIEWER, proved=False)
    case, item = sealed_case(vault_of(house), picture())
    held(vault_of(house), case, caller_of_person(person, "console"))
    place = f"/cases/{case}/items/{item}"
    answer = asked(client, place)
    assert answer.status_code == 403
    assert answer.json() == {"lead": f"/prove?next=/cases/{case}"}
    assert asked(client, place, "veil").status_code == 200


def test_it_is_not_shown_as_something_else_than_was_asked_for(house: House) -> None:
    client, _, place = at_work(house)
    address = asked(client, place, "part").json()["address"]
    assert client.get(address.replace("/part", "/whole")).status_code == 404
    assert client.get(address.replace("/part", "/words")).status_code == 404
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("part", ["a\0b", "a\nb", "\x7f"])
def test_a_part_with_letters_that_steer_something_is_none_whoever_asks(
    house: House, part: str
) -> None:
    client, _, place = at_work(house)
    assert asked(client, place, place=part).status_code == 422
    sent = {"level": "whole", "why": "decide", "part": f"at:{part}"}
    assert client.post(f"{place}/look", data=sent).status_code == 422


def test_another_site_cannot_ask(house: House) -> None:
    client, _, place = at_work(house)
    answer = client.post(
        f"{place}/viewings",
        json={"level": "whole", "why": "decide"},
        headers=JSON | {"Origin": "https://elsewhere.example"},
    )
    assert answer.status_code == 403


def test_words_are_let_out_as_words(house: House) -> None:
    client, _, place = at_work(house, b"Shall we <b>meet</b>?", ItemKind.TEXT)
    address = asked(client, place).json()["address"].replace("/whole", "/words")
    assert client.get(address).json() == {"words": "Shall we <b>meet</b>?", "more": False}
    assert client.get(address).status_code == 404


def test_an_address_is_let_out_broken_apart(house: House) -> None:
    client, _, place = at_work(house, b"https://host.example/a.jpg", ItemKind.URL)
    address = asked(client, place).json()["address"].replace("/whole", "/words")
    assert client.get(address).json()["words"] == "hxxps://host[.]example/a.jpg"


def test_what_cannot_be_shown_says_why(house: House) -> None:
    client, _, place = at_work(house, picture()[:400])
    answer = client.get(asked(client, place).json()["address"])
    assert answer.status_code == 422
    assert "ends early" in answer.json()["reason"]


def test_what_is_in_sight_is_heard_of_until_it_is_not(house: House) -> None:
    client, _, place = at_work(house)
    said = asked(client, place, "part").json()
    client.get(said["address"])
    CLOCK.turn(seconds=said["every"])
    beat = {"viewings": [said["viewing"]]}
    assert client.post("/viewings/heard", json=beat, headers=JSON).json() == {"over": []}
    CLOCK.turn(seconds=60)
    late = client.post("/viewings/heard", json=beat, headers=JSON).json()
    assert late == {"over": beat["viewings"]}
    other, _ = signed_in(house, Role.REVIEWER)
    assert other.post("/viewings/heard", json=beat, headers=JSON).status_code == 404


def test_whoever_has_to_rest_is_shown_nothing(house: House) -> None:
    client, _, place = at_work(house)
    assert client.post("/me/break").headers["location"] == "/rest"
    assert asked(client, place).status_code == 403, "it was given back"
    page = client.get("/rest")
    assert "You are on a break" in page.text
    client.post("/me/back")
    assert client.get("/rest").status_code == 303


def test_each_look_is_in_the_ledger(house: House) -> None:
    client, person, place = at_work(house)
    said = asked(client, place, "part").json()
    client.get(said["address"])
    client.post(f"/viewings/{said['viewing']}/end", json={}, headers=JSON)
    with house.service.database.reading() as connection:
        rows = connection.execute(
            ledger_entries.select()
            .where(ledger_entries.c.case_id == place.split("/")[2])
            .order_by(ledger_entries.c.number)
        ).all()
    looks = [(row.act, row.actor, row.thing) for row in rows if "view" in row.act]
    assert looks == [
        ("evidence.viewed", f"person:{person.id}", f"viewing:{said['viewing']}:part"),
        ("evidence.view-ended", f"person:{person.id}", f"viewing:{said['viewing']}:0.0s"),
    ]


def test_nothing_of_it_is_in_a_log(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    client, _, place = at_work(house)
    said = asked(client, place).json()
    client.get(said["address"])
    client.get(said["address"])
    broken, _, other = at_work(house, picture()[:400])
    broken.get(asked(broken, other).json()["address"])
    logged = "".join(capfd.readouterr())
    assert "/items/" not in logged
    assert "viewing" not in logged


def hash_of(answer: httpx.Response) -> Pdq:
    with Image.open(io.BytesIO(answer.content)) as image:
        return pdq_of(np.asarray(image.convert("RGB")))


def test_the_part_that_matched_comes_first_and_the_others_are_a_step_away(house: House) -> None:
    pictures = {f"photos/{seed}.png": picture(seed) for seed in (1, 2, 3)}
    client, person, place = at_work(house, zipped(pictures))
    case = CaseId(place.split("/")[2])
    matched(house.service.database, CLOCK, case, Kind.PDQ, "photos/2.png")
    page = client.get(f"/cases/{case}").text
    first = page.index('value="at:photos/2.png"')
    assert first < page.index(f">{languages()['en'].texts['media_whole_file']}<")
    assert "\N{FIRST STRONG ISOLATE}photos/2.png\N{POP DIRECTIONAL ISOLATE}" in page

    said = asked(client, place, colour=True, place="photos/2.png").json()
    answer = client.get(said["address"])
    assert answer.headers["tutela-shown"] == "one"
    assert answer.headers["tutela-steps"] == "before after"
    assert "photos/2.png" in unquote(answer.headers["tutela-place"])
    after = asked(client, place, "part", of=said["viewing"], step=1).json()
    assert "photos/3.png" in unquote(client.get(after["address"]).headers["tutela-place"])
    before = asked(client, place, "veil", of=said["viewing"], step=-1).json()
    assert "photos/1.png" in unquote(client.get(before["address"]).headers["tutela-place"])
    for seed, viewing in ((2, said), (3, after), (1, before)):
        again = asked(client, place, colour=True, of=viewing["viewing"], step=0).json()
        with Image.open(io.BytesIO(picture(seed))) as image:
            stored = pdq_of(np.asarray(image))
        assert differing_bits(hash_of(client.get(again["address"])), stored) <= 24

    nowhere = asked(client, place, of=after["viewing"], step=1)
    assert nowhere.status_code == 422
    other, _, elsewhere = at_work(house)
    assert asked(other, elsewhere, of=after["viewing"], step=-1).status_code == 404
    with house.service.database.reading() as connection:
        looks = viewings_of_case(connection, case)
        today = exposure_today(connection, person.id, CLOCK)
        assert not was_viewed(connection, looks[0].evidence), "nobody saw all of it"
    assert len(looks) == 6, "each look is written down"
    assert today.items == 3, "each of the pictures is something to look at"


def test_a_part_that_cannot_be_shown_can_be_passed_by(house: House) -> None:
    broken = picture(2)[:3_000]
    files = {"1.png": picture(1), "2.png": broken, "3.png": picture(3)}
    client, _, place = at_work(house, zipped(files))
    answer = client.get(asked(client, place, place="2.png").json()["address"])
    assert answer.status_code in (200, 422)
    assert answer.headers["tutela-steps"] == "before after"


def test_without_a_script_it_stands_on_a_page_of_its_own_for_some_seconds(house: House) -> None:
    client, _, item = at_work(house, zipped({f"{n}.png": picture(n) for n in (1, 2)}))
    case = CaseId(item.split("/")[2])
    assert f'action="{item}/look"' in client.get(f"/cases/{case}").text

    def looked(**sent: object) -> tuple[str, int]:
        page = client.post(f"{item}/look", data={"level": "whole colour", "why": "decide"} | sent)
        assert page.status_code == 200, page.text
        assert f"20; url=/cases/{case}" in page.text
        (address,) = re.findall('img src="(/cases/[^"]+)"', page.text)
        image = client.get(address, headers={"Sec-Fetch-Dest": "image"})
        assert image.headers["content-type"] == "image/jpeg"
        return unquote(image.headers["tutela-place"]), int(address.rpartition("=")[2])

    place, first = looked(part="at:1.png")
    assert "1.png" in place
    CLOCK.turn(seconds=5)
    place, second = looked(of=first, step=1)
    assert "2.png" in place
    assert client.post(f"{item}/look", data={"level": "part", "why": "decide", "of": second,
                                             "step": 1}).status_code == 422  # fmt: skip
    CLOCK.turn(seconds=60)
    with house.service.database.writing() as connection:
        end_lost(connection, CLOCK)
    _, third = looked(of=second, step=0)
    CLOCK.turn(seconds=3)
    away = client.post(f"/viewings/{third}/put-away")
    assert away.headers["location"] == f"/cases/{case}"
    with house.service.database.reading() as connection:
        seconds = [each.seconds for each in viewings_of_case(connection, case)]
    assert seconds == [3.0, 20.0, 5.0]
