"""The form of a report: every field of the model is in it, and comes back as it was."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reporting.cybertipline.strategies import contents
from tutela.console.report_form import (
    THERE,
    Box,
    Group,
    Look,
    Many,
    Node,
    Wish,
    boxes,
    elements_in,
    form_of,
    normal,
    read_form,
    without,
)
from tutela.reporting.cybertipline.model import (
    Content,
    FileDescription,
    IncidentSummary,
    InternetDetails,
    Report,
    Victim,
)
from tutela.reporting.cybertipline.shape import parts
from tutela.reporting.cybertipline.vocabulary import IncidentType


def sent(node: Node) -> list[tuple[str, str]]:
    """What a browser sends of a form in which nobody changed anything."""
    if isinstance(node, Box):
        if node.look is Look.MARKS:
            return [(node.name, mark) for mark in node.marks]
        return [(node.name, node.value.replace("\n", "\r\n"))]
    there = [(f"{node.name}.{THERE}", "1")] if isinstance(node, Group) and node.is_marked else []
    return there + [pair for each in node.nodes for pair in sent(each)]


def plain(content: Content) -> dict[str, Any]:
    return content.model_dump(mode="json", exclude_defaults=True, exclude_none=True)


@pytest.mark.parametrize("model", [IncidentSummary, InternetDetails, Victim, FileDescription])
# A whole victim is drawn slowly where the machine has other things to do, which is no fault.
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_nobody_touches_comes_back_as_it_was(
    model: type[Content], data: st.DataObject
) -> None:
    values = _sayable(plain(data.draw(contents(model))))
    assert read_form(model, sent(form_of(model, values, Wish()))) == normal(model, values)


def test_every_field_of_the_model_is_in_the_form() -> None:
    def fields(model: type[Content], seen: set[type]) -> set[str]:
        seen.add(model)
        inner = [p.content for p in parts(model) if p.content and p.content not in seen]
        return {p.field for p in parts(model)}.union(*(fields(each, seen) for each in inner))

    def shown(node: Node) -> set[str]:
        inner = () if isinstance(node, Box) else node.nodes
        return {node.field}.union(*(shown(each) for each in inner))

    found: set[str] = set()
    pending = [""]
    done = set()
    while pending:
        add = pending.pop()
        if add in done:
            continue
        done.add(add)
        form = form_of(Report, {}, Wish(add=add))
        found |= shown(form)
        if add.count(".") < 1:
            pending += [
                f"{many.name}:{kind}" if kind else many.name
                for many in _lists(form)
                for kind in (many.kinds or ("",))
            ]
    assert fields(Report, set()) - found <= {
        # In entries of lists within entries of lists.
        *fields(Victim, set()),
        *fields(InternetDetails, set()),
    }


def test_a_field_says_what_the_model_says_of_it() -> None:
    form = form_of(IncidentSummary, {}, Wish(), "incident_summary")
    by_name = {each.name: each for each in boxes(form)}
    kind = by_name["incident_summary.incident_type"]
    assert (kind.look, kind.choices, kind.is_required) == (Look.CHOICE, tuple(IncidentType), True)
    why = by_name["incident_summary.escalate_to_high_priority"]
    assert (why.look, why.longest, why.is_required) == (Look.WORDS, 3000, False)
    assert why.help == IncidentSummary.model_fields["escalate_to_high_priority"].description
    assert by_name["incident_summary.incident_date_time"].look is Look.MOMENT


def test_empty_entries_and_fields_are_left_out() -> None:
    typed = [
        ("display_names.0", ""),
        ("display_names.1", " Sam "),
        ("person.first_name", ""),
        ("ip_capture_events.0.ip_address", ""),
        ("ip_capture_events.0.possible_proxy", ""),
    ]
    assert read_form(Victim, typed) == {"display_names": ["Sam"]}


def test_an_entry_is_taken_out_and_the_others_move_up() -> None:
    typed = [("display_names.0", "a"), ("display_names.1", "b"), ("display_names.10", "c")]
    left = without(typed, "display_names.1")
    assert read_form(Victim, left) == {"display_names": ["a", "c"]}


def test_one_more_entry_is_offered_where_it_is_wished_for() -> None:
    form = form_of(Report, {}, Wish(add="victims"))
    assert "victims.0.person.age" in {each.name for each in boxes(form)}
    form = form_of(Report, {}, Wish(add="internet_details:chat_im_incident"))
    names = {each.name for each in boxes(form)}
    assert "internet_details.0.chat_im_incident.content" in names
    assert "internet_details.0.email_incident.content" not in names


def test_what_is_wrong_stands_at_its_field_and_is_seen() -> None:
    wrong = {"victims.0.person.age": "is too much"}
    form = form_of(Report, {"victims": [{"person": {"age": 999}}]}, Wish(wrong))
    (age,) = [each for each in boxes(form) if each.wrong]
    assert (age.name, age.wrong, age.value, age.is_open) == (
        *next(iter(wrong.items())),
        "999",
        True,
    )


def test_numbers_are_numbers_also_while_something_else_is_missing() -> None:
    typed = [("person_or_user_reported.prior_ct_reports.0", "12"), ("victims.0.person.age", "x")]
    assert read_form(Report, typed) == {
        "person_or_user_reported": {"prior_ct_reports": [12]},
        "victims": [{"person": {"age": "x"}}],
    }


@pytest.mark.parametrize(
    "name", ["victims", "victims.x.person.age", "victims.0", "nothing.like.it"]
)
def test_names_that_no_form_has_are_passed_over(name: str) -> None:
    assert read_form(Report, [(name, "1"), (f"{name}.a", "2")]) in ({}, {"victims": []})


def test_what_an_authority_calls_a_field_leads_to_it() -> None:
    places = dict(reversed(list(elements_in(Report))))
    assert places["schoolName"] == "victims.0.school_name"
    assert places["incidentType"] == "incident_summary.incident_type"


def _lists(node: Node) -> list[Many]:
    if isinstance(node, Box):
        return []
    mine = [node] if isinstance(node, Many) else []
    return mine + [each for inner in node.nodes for each in _lists(inner)]


def _sayable(value: Any) -> Any:
    """Without what no form can hold: some line ends, and parts of which nothing is said."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if isinstance(value, list):
        return [said for each in value if (said := _sayable(each)) != {}]
    if isinstance(value, dict):
        said = {name: _sayable(each) for name, each in value.items()}
        return {name: each for name, each in said.items() if each != []}
    return value
