"""The page of a case: what it says to whom, and what can be done on it."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from hashlib import md5
from html import unescape

import httpx
import pytest
from sqlalchemy import select

from tests.cases.world import a_case, made_final, matched, state_of, with_evidence
from tests.console.visitors import signed_in
from tests.house import House, running_house
from tutela.accounts.permissions import Role
from tutela.cases.model import CaseId
from tutela.cases.states import State
from tutela.console.language import languages
from tutela.fingerprints.model import Kind
from tutela.ledger.tables import ledger_entries
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings

ENGLISH = languages()["en"].texts


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data",
        cells=1,
        review={"second_look_percent": 0, "second_look_for": []},
    )
    with running_house(settings, system_clock) as running:
        yield running


def new_case(house: House, content: bytes, kind: Kind = Kind.MD5, place: str = "") -> str:
    """A case with a file that a list has, or has something like."""
    case = a_case(house.service.database, system_clock, content)
    with_evidence(house.service.database, case)
    matched(house.service.database, system_clock, case, kind, place)
    return case


def text_of(answer: httpx.Response) -> str:
    return unescape(answer.text)


def taken_by(client: httpx.Client, case: str) -> str:
    """Take a case; gives the number of the hold."""
    assert client.post(f"/cases/{case}/take").status_code == 303
    found = re.search(r'name="hold" value="(\d+)"', client.get(f"/cases/{case}").text)
    assert found
    return found[1]


def decided_by(
    client: httpx.Client, case: str, decision: str = "confirmed", basis: str = "digest", **more: str
) -> httpx.Response:
    """Take a case and decide on it."""
    hold = taken_by(client, case)
    sent = {"hold": hold, "decision": decision, "basis": basis, **more}
    return client.post(f"/cases/{case}/decide", data=sent)


def test_a_known_file_needs_no_viewing_and_the_page_says_so(house: House) -> None:
    client, _ = signed_in(house, Role.REVIEWER)
    assert ENGLISH["known"] in text_of(client.get(f"/cases/{new_case(house, b'known')}"))
    alike = new_case(house, b"alike", Kind.PDQ)
    assert ENGLISH["known"] not in text_of(client.get(f"/cases/{alike}"))


def test_what_was_found_in_a_file_is_told_with_its_place(house: House) -> None:
    client, _ = signed_in(house, Role.REVIEWER)
    case = new_case(house, b"within", Kind.MD5, "photos/<a>.jpg frame 2")
    answer = client.get(f"/cases/{case}")
    assert f"{ENGLISH['match_place']} <bdi>photos/&lt;a&gt;.jpg</bdi>, frame 2" in answer.text
    assert ENGLISH["known"] not in text_of(answer)


def test_distances_and_lists_are_for_those_who_may_see_them(house: House) -> None:
    case = new_case(house, b"distances", Kind.PDQ)
    reviewer, _ = signed_in(house, Role.REVIEWER)
    page = text_of(reviewer.get(f"/cases/{case}"))
    assert f"partner {case}" in page
    assert ENGLISH["match_near"].format(kind="PDQ", distance=0) in page
    intake, _ = signed_in(house, Role.INTAKE)
    page = text_of(intake.get(f"/cases/{case}"))
    assert f"partner {case}" not in page
    assert "of 256" not in page
    assert ENGLISH["match_some"] in page


def test_how_well_a_list_knows_a_file_is_for_those_who_may_see_it(house: House) -> None:
    case = a_case(house.service.database, system_clock, b"how well", facts="live_stream known")
    with_evidence(house.service.database, case)
    matched(house.service.database, system_clock, case)
    reviewer, _ = signed_in(house, Role.REVIEWER)
    custodian, _ = signed_in(house, Role.CUSTODIAN)
    assert decided_by(reviewer, case).status_code == 303
    told = (ENGLISH["fact_known"], md5(b"how well").hexdigest(), ENGLISH["basis_digest"])
    page = text_of(reviewer.get(f"/cases/{case}"))
    assert [each for each in told if each not in page] == []
    page = text_of(custodian.get(f"/cases/{case}"))
    assert [each for each in told if each in page] == []
    assert ENGLISH["fact_live_stream"].format(days=30) in page
    row = text_of(reviewer.get("/queue", params={"tab": "decided"}))
    assert ENGLISH["fact_known"] in row
    row = text_of(custodian.get("/queue", params={"tab": "decided"}))
    assert case in row
    assert ENGLISH["fact_known"] not in row


def test_that_nobody_has_to_look_is_not_said_to_those_who_may_not_know_why(house: House) -> None:
    case = new_case(house, b"nobody looks")
    intake, _ = signed_in(house, Role.INTAKE)
    assert ENGLISH["known"] not in text_of(intake.get(f"/cases/{case}"))


def test_a_number_is_understood_as_people_type_it(house: House) -> None:
    case = new_case(house, b"typed")
    client, _ = signed_in(house, Role.REVIEWER)
    answer = client.get(f"/cases/{case.lower().replace('-', '')}")
    assert answer.headers["Location"] == f"/cases/{case}"
    assert client.get("/cases/0000-0000-0000").status_code == 404
    assert client.get("/cases/nonsense").status_code == 422


def test_who_reads_a_case_is_in_the_ledger(house: House) -> None:
    case = new_case(house, b"read")
    client, somebody = signed_in(house, Role.AUDITOR)
    # Whatever a request says of itself.
    client.get(f"/cases/{case}", headers={"HX-Request": "true"})
    with house.service.database.reading() as connection:
        acts = connection.execute(
            select(ledger_entries.c.act).where(
                ledger_entries.c.case_id == case, ledger_entries.c.actor == somebody.actor_id
            )
        ).scalars()
        assert list(acts) == ["case.read"]


def test_a_case_is_taken_kept_and_given_back(house: House) -> None:
    case = new_case(house, b"taken")
    client, _ = signed_in(house, Role.REVIEWER)
    hold = taken_by(client, case)
    assert ENGLISH["hold_yours"] in text_of(client.get(f"/cases/{case}"))
    assert client.post(f"/cases/{case}/keep", data={"hold": hold}).status_code == 303
    gone = client.post(f"/cases/{case}/give-back", data={"hold": hold})
    assert gone.headers["Location"] == "/queue"
    assert ENGLISH["said_given_back"].format(about=case) in text_of(client.get("/queue"))
    assert state_of(house.service.database, case) is State.OPEN


def test_what_was_done_is_said_once(house: House) -> None:
    case = new_case(house, b"said")
    client, _ = signed_in(house, Role.REVIEWER)
    client.post(f"/cases/{case}/give-back", data={"hold": taken_by(client, case)})
    said = ENGLISH["said_given_back"].format(about=case)
    assert said in text_of(client.get("/queue"))
    assert said not in text_of(client.get("/queue"))


def test_a_decision_is_kept_with_its_reason_and_can_be_undone(house: House) -> None:
    case = new_case(house, b"decided")
    client, _ = signed_in(house, Role.REVIEWER)
    picked = ENGLISH["reason_similar"]
    answer = decided_by(client, case, "not_confirmed", picked=picked, words="Look at <the> edges")
    assert answer.headers["Location"] == "/queue"
    assert state_of(house.service.database, case) is State.NOT_CONFIRMED
    page = client.get(f"/cases/{case}?lang=fr").text
    assert "Look at &lt;the&gt; edges" in page
    assert client.post(f"/cases/{case}/undo").status_code == 303
    assert state_of(house.service.database, case) is State.IN_REVIEW


def test_a_decision_cannot_rest_on_what_was_not_looked_at(house: House) -> None:
    case = new_case(house, b"not looked at", Kind.PDQ)
    client, _ = signed_in(house, Role.REVIEWER)
    answer = decided_by(client, case, "confirmed", "seen")
    assert answer.status_code == 422
    assert "you have not looked" in text_of(answer)
    assert state_of(house.service.database, case) is State.IN_REVIEW


def test_whoever_comes_too_late_is_told_so_and_changes_nothing(house: House) -> None:
    case = new_case(house, b"too late")
    anna, _ = signed_in(house, Role.REVIEWER)
    ben, _ = signed_in(house, Role.REVIEWER)
    hold = taken_by(anna, case)
    refused = ben.post(f"/cases/{case}/take")
    assert refused.status_code == 409
    assert ENGLISH["wrong_AlreadyHeldError"] in text_of(refused)
    sent = {"hold": hold, "decision": "confirmed", "basis": "digest"}
    refused = ben.post(f"/cases/{case}/decide", data=sent)
    assert refused.status_code == 409
    assert ENGLISH["wrong_HoldLostError"] in text_of(refused)
    assert state_of(house.service.database, case) is State.IN_REVIEW


def test_the_second_person_sees_nothing_of_the_first_ones_decision(house: House) -> None:
    case = new_case(house, b"second look")
    anna, _ = signed_in(house, Role.REVIEWER, name="Anna First")
    ben, _ = signed_in(house, Role.REVIEWER)
    words = "words that only one knows"
    decided_by(anna, case, "not_confirmed", words=words, second="true")
    assert state_of(house.service.database, case) is State.SECOND_LOOK
    page = text_of(ben.get(f"/cases/{case}"))
    assert ENGLISH["blind"] in page
    assert words not in page
    assert "Anna First" not in page
    assert words in text_of(anna.get(f"/cases/{case}"))


def test_a_lead_settles_what_two_people_do_not_agree_on(house: House) -> None:
    case = new_case(house, b"settled")
    anna, _ = signed_in(house, Role.REVIEWER)
    decided_by(anna, case, "not_sure")
    lead, _ = signed_in(house, Role.LEAD)
    assert ENGLISH["settle_text"] in text_of(lead.get(f"/cases/{case}"))
    sent = {"decision": "confirmed", "basis": "digest", "words": ""}
    assert lead.post(f"/cases/{case}/settle", data=sent).status_code == 422
    sent["words"] = "The list is right"
    early = lead.post(f"/cases/{case}/settle", data=sent)
    assert early.status_code == 409
    assert "try again in" in early.text
    made_final(house.service.database, system_clock, case)
    assert lead.post(f"/cases/{case}/settle", data=sent).status_code == 303
    assert state_of(house.service.database, case) is State.CONFIRMED
    assert anna.post(f"/cases/{case}/settle", data=sent).status_code == 403


def test_labels_and_notes_are_set_and_seen(house: House) -> None:
    case = new_case(house, b"labelled")
    client, _ = signed_in(house, Role.REVIEWER, name="Anna Who Labels")
    assert client.post(f"/cases/{case}/labels", data={"chosen": "inhope/material-image"})
    page = client.get(f"/cases/{case}").text
    number = re.search(r"/labels/(\d+)/remove", page)
    assert number
    client.post(f"/cases/{case}/labels/{number[1]}/remove")
    assert "/remove" not in client.get(f"/cases/{case}").text
    client.post(f"/cases/{case}/notes", data={"words": "<b>bold</b> words"})
    page = client.get(f"/cases/{case}").text
    assert "&lt;b&gt;bold&lt;/b&gt; words" in page
    assert client.post(f"/cases/{case}/notes", data={"words": " "}).status_code == 422
    assert client.post(f"/cases/{case}/labels", data={"chosen": "none/such"}).status_code == 404


def test_a_lead_assigns_closes_and_reopens(house: House) -> None:
    case = new_case(house, b"led")
    lead, _ = signed_in(house, Role.LEAD)
    reviewer, somebody = signed_in(house, Role.REVIEWER, name="Ben To Whom It Goes")
    lead.post(f"/cases/{case}/assign", data={"person": str(somebody.id)})
    assert case in reviewer.get("/queue?tab=mine").text
    decided_by(reviewer, case)
    early = lead.post(f"/cases/{case}/close", data={"words": "All is done"})
    assert early.status_code == 409
    assert "may still take it back: try again in" in text_of(early)
    made_final(house.service.database, system_clock, CaseId(case))
    assert lead.post(f"/cases/{case}/close", data={"words": ""}).status_code == 422
    assert lead.post(f"/cases/{case}/close", data={"words": "All is done"}).status_code == 303
    assert state_of(house.service.database, case) is State.CLOSED
    assert lead.post(f"/cases/{case}/reopen", data={"words": "Not all"}).status_code == 303
    assert state_of(house.service.database, case) is State.OPEN
    for act in ("assign", "close", "reopen"):
        assert reviewer.post(f"/cases/{case}/{act}", data={"words": "x"}).status_code == 403


def test_the_same_file_is_confirmed_in_all_its_cases_at_once(house: House) -> None:
    cases = [new_case(house, b"the same") for _ in range(4)]
    client, _ = signed_in(house, Role.REVIEWER)
    decided_by(client, cases[0])
    assert 'name="others"' not in client.get(f"/cases/{cases[0]}").text
    made_final(house.service.database, system_clock, CaseId(cases[0]))
    page = client.get(f"/cases/{cases[0]}").text
    assert all(f'name="others" value="{case}"' in page for case in cases[1:])
    answer = client.post(f"/cases/{cases[0]}/alike", data={"others": cases[1:3]})
    assert answer.status_code == 303
    states = [state_of(house.service.database, case) for case in cases]
    assert states == [State.CONFIRMED] * 3 + [State.OPEN]
    said = ENGLISH["said_alike"].format(about=2)
    assert said in text_of(client.get(f"/cases/{cases[0]}"))


def test_many_reviewers_race_for_one_case_and_one_gets_it(house: House) -> None:
    case = new_case(house, b"one case")
    clients = [signed_in(house, Role.REVIEWER)[0] for _ in range(12)]
    answers = _at_once(clients, lambda client: client.post(f"/cases/{case}/take"))
    assert Counter(answer.status_code for answer in answers) == {303: 1, 409: 11}


def test_many_reviewers_race_for_the_next_case_and_no_two_get_the_same(house: House) -> None:
    for number in range(24):
        new_case(house, b"race %d" % number)
    clients = [signed_in(house, Role.REVIEWER)[0] for _ in range(12)]
    answers = _at_once(clients, lambda client: client.post("/queue/next"))
    given = [answer.headers["Location"] for answer in answers]
    assert all(each.startswith("/cases/") for each in given)
    assert len(set(given)) == len(clients)


def test_two_decisions_at_once_are_one(house: House) -> None:
    case = new_case(house, b"pressed twice")
    client, _ = signed_in(house, Role.REVIEWER)
    sent = {"hold": taken_by(client, case), "decision": "confirmed", "basis": "digest"}
    answers = _at_once([client] * 8, lambda each: each.post(f"/cases/{case}/decide", data=sent))
    assert Counter(answer.status_code for answer in answers) == {303: 1, 409: 7}
    with house.service.database.reading() as connection:
        moves = connection.execute(
            select(ledger_entries.c.thing).where(
                ledger_entries.c.case_id == case, ledger_entries.c.act == "case.moved"
            )
        ).scalars()
        assert Counter(moves)["move:confirm"] == 1


def _at_once(clients, act):
    ready = threading.Barrier(len(clients))
    answers = []

    def run(client: httpx.Client) -> None:
        ready.wait()
        answers.append(act(client))

    threads = [threading.Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
