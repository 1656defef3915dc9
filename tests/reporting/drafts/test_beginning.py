"""A confirmed case has a draft to each authority that has to be told, filled with what is known."""

import io
import json
import zipfile

import pytest
from sqlalchemy import select, update

from tests.cases.world import ANNA, OPERATOR
from tests.evidence.sealing import sealed_item
from tests.reporting.desks import confirmed, desk_of, live_desk_of, viewed
from tests.reporting.world import NCMEC, World
from tutela.cases.facts import Fact
from tutela.cases.states import State as CaseState
from tutela.cases.tables import case_items, cases
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError, OutOfTurnError
from tutela.reporting.authorities.told import told_of
from tutela.reporting.authorities.weighing import weigh
from tutela.reporting.cybertipline.building import build_file_details, build_report
from tutela.reporting.cybertipline.model import (
    FileDescription,
    Person,
    PersonOrUserReported,
    Report,
    Victim,
)
from tutela.reporting.drafts.beginning import (
    begin_report,
    begin_reports,
    correct_report,
    refill_case,
    refill_report,
    routes_of_case,
)
from tutela.reporting.drafts.gathering import LOST_WORDS
from tutela.reporting.drafts.previewing import TO_COME, preview_report
from tutela.reporting.drafts.reading import read_report
from tutela.reporting.drafts.supplied import Supplied
from tutela.reporting.drafts.supplying import supply
from tutela.reporting.drafts.writing import change_report, remove_file
from tutela.reporting.finding import find_report, find_reports
from tutela.reporting.model import ChannelKind, Environment
from tutela.reporting.states import Move, State
from tutela.reporting.tables import reports
from tutela.sandbox.model import Level, Shown


def read(desk, report):
    with desk.database.reading() as connection:
        return read_report(connection, desk, report)


def supplied(desk, case, **values) -> None:
    with desk.database.writing() as connection:
        what = Supplied(**values)
        supply(connection, desk.secrets, "user-1", case, what, caller=OPERATOR, clock=desk.clock)


def test_a_confirmed_case_has_a_draft_to_whom_it_is_owed(world: World) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape")
    (report,) = begin_reports(desk, case, OPERATOR)
    assert begin_reports(desk, case, OPERATOR) == []
    written = read(desk, report)
    assert (written.report.authority, written.report.channel) == (NCMEC, ChannelKind.CYBERTIPLINE)
    assert written.report.state is State.DRAFT
    assert written.problems == ()
    assert written.draft.values["person_or_user_reported"]["esp_identifier"] == "user-1"
    (file,) = written.draft.files
    assert file.values["file_viewed_by_esp"] is False
    assert any(
        each.field == "person_or_user_reported.ip_capture_events" for each in written.missing
    )
    assert world.acts(case) == ["report.drafted"]
    assert json.dumps(written.as_fields())


def test_a_house_that_is_nowhere_owes_nothing_and_says_why(world: World) -> None:
    desk, case = desk_of(world, establishment=None), confirmed(world, b"a landscape")
    assert begin_reports(desk, case, OPERATOR) == []
    assert any("reporting.establishment" in each.words for each in routes_of_case(desk, case))
    report = begin_report(desk, case, NCMEC, OPERATOR)
    assert read(desk, report).report.authority == NCMEC


def test_the_words_of_a_chat_are_in_its_draft_and_nowhere_else_in_the_open(world: World) -> None:
    words = "words of a chat that are nowhere else"
    case = confirmed(world, words=words, facts=(Fact.SEXUAL_EXTORTION,))
    desk = desk_of(world)
    (report,) = begin_reports(desk, case, OPERATOR)
    written = read(desk, report)
    (place,) = written.draft.values["internet_details"]
    assert place["chat_im_incident"]["content"] == words
    assert written.draft.values["incident_summary"]["incident_type"] == "enticement"
    assert (written.draft.files, written.problems) == ((), ())
    with world.database.reading() as connection:
        row = connection.execute(select(reports.c.content, reports.c.filled)).one()
    assert words.encode() not in row.content
    assert words.encode() not in row.filled


def test_a_text_that_the_vault_has_lost_keeps_nobody_from_hearing_of_the_case(world: World) -> None:
    case = confirmed(world, words="words of a chat", facts=(Fact.SEXUAL_EXTORTION,))
    for blob in (world.settings.data / "vault").rglob("*"):
        if blob.is_file():
            blob.chmod(0o600)
            blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    desk = desk_of(world)
    (report,) = begin_reports(desk, case, OPERATOR)
    written = read(desk, report)
    (place,) = written.draft.values["internet_details"]
    assert place["chat_im_incident"]["content"] == LOST_WORDS
    assert written.problems == ()


@pytest.mark.parametrize(
    ("level", "shown", "expected"),
    [
        (Level.WHOLE, Shown.PICTURE, True),
        (Level.PART, Shown.PICTURE, False),
        (Level.VEIL, Shown.PICTURE, False),
        (Level.WHOLE, Shown.NOTHING, False),
        (Level.WHOLE, None, False),
    ],
)
def test_a_file_was_viewed_if_the_record_says_that_all_of_it_was(
    world: World, level, shown, expected
) -> None:
    case = confirmed(world, b"a landscape")
    viewed(world, case, ANNA, level=level, shown=shown)
    desk = desk_of(world)
    written = read(desk, begin_report(desk, case, NCMEC, OPERATOR))
    assert written.draft.files[0].values["file_viewed_by_esp"] is expected


@pytest.mark.parametrize("state", [CaseState.OPEN, CaseState.NOT_CONFIRMED, CaseState.CLOSED])
def test_what_is_not_confirmed_is_not_reported(world: World, state) -> None:
    case = world.case(b"a landscape", state=state)
    with pytest.raises(OutOfTurnError, match="only what is confirmed"):
        begin_report(desk_of(world), case, NCMEC, OPERATOR)
    assert world.acts(case) == []


def test_an_authority_without_a_way_is_said_to_have_none(world: World) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape")
    with pytest.raises(NotFoundError, match="no authority"):
        begin_report(desk, case, "xx-nobody", OPERATOR)
    with pytest.raises(InvalidInputError, match="by hand"):
        begin_report(desk, case, "de-bka", OPERATOR)
    begin_report(desk, case, NCMEC, OPERATOR)
    with pytest.raises(AlreadyExistsError):
        begin_report(desk, case, NCMEC, OPERATOR)


def test_what_a_platform_supplies_comes_into_the_draft_beside_what_people_wrote(
    world: World,
) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape", words="an excerpt")
    report = begin_report(desk, case, NCMEC, OPERATOR)
    change_report(
        desk,
        report,
        {"person_or_user_reported.screen_name": "as written", "additional_info": "read this"},
        ANNA,
    )
    person = Person(first_name="A", emails=[{"address": "a@example.org"}])
    reported = PersonOrUserReported(person=person, screen_name="other", display_names=("a",))
    supplied(desk, case, reported=reported, victims=(Victim(person=Person(age=12)),))
    assert refill_case(desk, case, OPERATOR) == [report]
    assert refill_case(desk, case, OPERATOR) == []
    values = read(desk, report).draft.values
    assert values["person_or_user_reported"]["screen_name"] == "as written"
    assert values["person_or_user_reported"]["display_names"] == ["a"]
    assert values["person_or_user_reported"]["esp_identifier"] == "user-1"
    assert values["victims"] == [{"person": {"age": 12}}]
    assert values["additional_info"] == "read this"
    acts = [each for each in world.acts(case) if each != "report.drafted"]
    assert acts == ["report.changed", "report.changed"]


def test_a_file_that_was_taken_out_stays_out(world: World) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape", b"another one")
    report = begin_report(desk, case, NCMEC, OPERATOR)
    first, second = read(desk, report).draft.files
    remove_file(desk, report, first.item, ANNA)
    refill_report(desk, report, OPERATOR)
    assert [each.item for each in read(desk, report).draft.files] == [second.item]
    with pytest.raises(NotFoundError):
        remove_file(desk, report, first.item, ANNA)


def test_earlier_reports_of_the_same_account_are_named_and_no_others(world: World) -> None:
    desk = desk_of(world)

    def sent(remote: str, environment: Environment, **of) -> None:
        case = confirmed(world, **of)
        report = world.draft(case)
        with world.database.writing() as connection:
            connection.execute(
                update(reports)
                .where(reports.c.id == report)
                .values(state=State.SENT, remote_id=remote, environment=environment)
            )

    sent("11", Environment.SANDBOX)
    sent("12", Environment.LIVE)
    sent("13", Environment.SANDBOX, subject="user-2")
    sent("14", Environment.SANDBOX, subject=None)
    case = confirmed(world, b"a landscape")
    values = read(desk, begin_report(desk, case, NCMEC, OPERATOR)).draft.values
    assert values["person_or_user_reported"]["prior_ct_reports"] == [11]


def test_a_correction_is_a_new_report_that_names_the_old_one(world: World) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape", subject=None)
    report = begin_report(desk, case, NCMEC, OPERATOR)
    with pytest.raises(OutOfTurnError, match="not sent yet"):
        correct_report(desk, report, OPERATOR)
    world.move(report, Move.SIGN, Move.QUEUE, Move.SEND)
    with world.database.writing() as connection:
        connection.execute(
            update(reports)
            .where(reports.c.id == report)
            .values(remote_id="4711", environment=Environment.SANDBOX)
        )
        connection.execute(update(cases).where(cases.c.id == case).values(state=CaseState.REPORTED))
    second = correct_report(desk, report, OPERATOR)
    written = read(desk, second)
    assert written.report.corrects == report
    assert written.draft.values["person_or_user_reported"] == {"prior_ct_reports": [4711]}
    with world.database.reading() as connection:
        assert [each.id for each in find_reports(connection, case=case)] == [second, report]
        assert find_report(connection, report).state is State.SENT
    assert read(desk, report).draft is None


def test_what_was_only_rehearsed_is_reported_for_real_and_never_corrected_there(
    world: World,
) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape", subject=None)
    report = begin_report(desk, case, NCMEC, OPERATOR)
    world.move(report, Move.SIGN, Move.QUEUE, Move.SEND)
    with world.database.writing() as connection:
        rehearsed = update(reports).where(reports.c.id == report)
        connection.execute(rehearsed.values(remote_id="4711", environment=Environment.SANDBOX))
    with pytest.raises(AlreadyExistsError):
        begin_report(desk, case, NCMEC, OPERATOR)
    real = live_desk_of(world)
    with pytest.raises(OutOfTurnError, match="went to the sandbox environment"):
        correct_report(real, report, OPERATOR)
    second = begin_report(real, case, NCMEC, OPERATOR)
    values = read(desk, second).draft.values
    assert "prior_ct_reports" not in values.get("person_or_user_reported", {})
    with pytest.raises(AlreadyExistsError, match=f"report {second}"):
        begin_report(real, case, NCMEC, OPERATOR)
    with world.database.reading() as connection:
        told = told_of(connection, case)
    routes = routes_of_case(real, case)
    with world.database.reading() as connection:
        weighed = weigh(connection, real.settings, case)
    assert (told, [each.as_fields() for each in weighed.routes]) == (
        frozenset(),
        [each.as_fields() for each in routes],
    )


def test_a_correction_begins_with_what_was_sent(world: World) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape")
    report = begin_report(desk, case, NCMEC, OPERATOR)
    change_report(desk, report, {"additional_info": "as it was sent"}, ANNA)
    written = read(desk, report).draft
    document = build_report(Report.model_validate(dict(written.values)))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as receipt:
        receipt.writestr("report.xml", document)
        said = FileDescription.model_validate(
            {**written.files[0].values, "additional_infos": ["as it was sent"]}
        )
        receipt.writestr("file-0001.xml", build_file_details(said.uploaded(4711, "f-1")))
        files = [{"evidence": written.files[0].evidence, "remote_id": "f-1"}]
        receipt.writestr("receipt.json", json.dumps({"files": files}))
    evidence = sealed_item(world.vault, case, archive.getvalue())
    world.move(report, Move.SIGN, Move.QUEUE, Move.SEND)
    with world.database.writing() as connection:
        connection.execute(
            update(reports)
            .where(reports.c.id == report)
            .values(remote_id="4711", environment=Environment.SANDBOX, receipt_item=evidence)
        )
    again = read(desk, correct_report(desk, report, OPERATOR)).draft
    values = again.values
    assert again.files[0].values["additional_infos"] == ["as it was sent"]
    assert values["additional_info"] == "as it was sent"
    assert values["person_or_user_reported"]["prior_ct_reports"] == [4711]
    assert values["person_or_user_reported"]["esp_identifier"] == "user-1"
    assert values["incident_summary"] == written.values["incident_summary"]


def test_a_file_that_is_not_known_to_the_bit_is_told_of_and_not_sent(world: World) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape", b"another one")
    with world.database.writing() as connection:
        first = connection.execute(
            select(case_items.c.id).where(case_items.c.case_id == case).limit(1)
        ).scalar_one()
        connection.execute(update(case_items).where(case_items.c.id == first).values(sha256=None))
    written = read(desk, begin_report(desk, case, NCMEC, OPERATOR))
    assert len(written.draft.files) == 1
    assert written.draft.values["additional_info"].startswith("One file is known by hashes alone")


def test_the_preview_is_what_the_channel_would_write(world: World) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape")
    report = begin_report(desk, case, NCMEC, OPERATOR)
    preview = preview_report(desk, report, OPERATOR)
    whole, of_file = preview.documents
    values = dict(read(desk, report).draft.values)
    assert whole.text.encode() == build_report(Report.model_validate(values))
    assert of_file.text.count(TO_COME) == 2
    change_report(desk, report, {"incident_summary.incident_type": None}, ANNA)
    lacking = preview_report(desk, report, OPERATOR)
    assert [each.name for each in lacking.documents] == ["file-1.xml"]
    assert [each.field for each in lacking.problems] == ["incident_summary.incident_type"]


def test_the_preview_of_a_package_is_its_document_and_its_page(world: World) -> None:
    own = world.settings.data / "authorities.toml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(
        """
[[authority]]
id = "xx-example"
version = 1
name = "An example"
country = "FR"
kind = "hotline"
source = "a test"
checked_on = 2026-01-01

[[channel]]
authority = "xx-example"
kind = "sealed-mail"
version = 1
address = "reports@hotline.example"
recipients = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
source = "a test"
checked_on = 2026-01-01
"""
    )
    desk, case = desk_of(world, authorities=own), confirmed(world, b"a landscape")
    report = begin_report(desk, case, "xx-example", OPERATOR)
    assert read(desk, report).report.channel is ChannelKind.SEALED_MAIL
    document, page = preview_report(desk, report, OPERATOR).documents
    assert json.loads(document.text)["report"]["incident_summary"]["incident_type"] == "csam"
    assert json.loads(document.text)["sending"]["identifier"] == TO_COME
    assert page.text.lstrip().startswith("<!")
