"""Cases as programs are told of them, by the API and by commands with ``--json``."""

from datetime import datetime

from tutela.cases.deciding import KeptDecision, Outcome
from tutela.cases.facts import facts_told
from tutela.cases.model import Match
from tutela.cases.moving import Hold
from tutela.cases.queue import Queued
from tutela.cases.reading import Elsewhere, Label, Note, WholeCase, WholeItem
from tutela.cases.waiting import why


def queued_fields(row: Queued, now: datetime, *, details: bool) -> dict[str, object]:
    """A case as a list has it.

    Args:
        row: The case.
        now: The present moment.
        details: Whether the caller may know how well a list knows what it is about.
    """
    facts = facts_told(row.facts, details=details)
    return {
        "case": row.case,
        "state": row.state,
        "opened_at": row.opened_at.isoformat(),
        "kind": row.kind,
        "items": row.items,
        "facts": list(facts),
        "why": [each.words for each in why(facts, row.opened_at, row.due_at, now)],
        "severe": row.severe,
        "due_at": _moment(row.due_at),
        "assigned_to": row.assigned_to,
        "held_by": row.held_by,
        "held_until": _moment(row.held_until),
    }


def whole_fields(case: WholeCase, now: datetime, *, details: bool) -> dict[str, object]:
    """A case with all that ``read_case`` tells of it.

    Args:
        case: The case.
        now: The present moment.
        details: Whether the caller may know which lists matched.
    """
    return {
        "case": case.id,
        "state": case.state,
        "opened_at": case.opened_at.isoformat(),
        "subject": case.subject,
        "facts": list(case.facts),
        "why": [each.words for each in why(case.facts, case.opened_at, case.due_at, now)],
        "severe": case.severe,
        "due_at": _moment(case.due_at),
        "assigned_to": case.assigned_to,
        "held_by": case.held_by,
        "held_until": _moment(case.held_until),
        "decided_at": _moment(case.decided_at),
        "items": [_item_fields(each, details=details) for each in case.items],
        "labels": [_label_fields(each) for each in case.labels],
        "notes": [_note_fields(each) for each in case.notes],
        "decisions": [_decision_fields(each) for each in case.decisions],
        "blind": case.blind,
        "bases": list(case.bases),
        "earlier": [_elsewhere_fields(each) for each in case.earlier],
    }


def hold_fields(hold: Hold) -> dict[str, object]:
    """A hold."""
    return {
        "case": hold.case,
        "hold": hold.number,
        "until": hold.until.isoformat(),
        "state": hold.state,
    }


def outcome_fields(case: str, outcome: Outcome) -> dict[str, object]:
    """What became of a decision."""
    return {
        "case": case,
        "decision": outcome.decision,
        "state": outcome.state,
        "second_look": outcome.second_look,
        "undo_until": outcome.undo_until.isoformat(),
    }


def _item_fields(item: WholeItem, *, details: bool) -> dict[str, object]:
    evidence = item.evidence
    return {
        "item": item.id,
        "kind": item.kind,
        "name": item.item.name,
        "origin": item.item.origin,
        "reference": item.reference,
        "received_at": item.received_at.isoformat(),
        "unreadable": item.item.unreadable,
        "unreadable_at": item.item.unreadable_at or None,
        **item.item.fingerprints.as_texts(),
        "evidence": None
        if evidence is None
        else {
            "item": evidence.id,
            "state": evidence.state,
            "reason": evidence.reason or None,
        },
        "matches": _match_fields(item.matches) if details else None,
        "elsewhere": [_elsewhere_fields(each) for each in item.elsewhere],
    }


def _match_fields(matches: tuple[Match, ...]) -> list[dict[str, str | int]]:
    return [match.as_fields() for match in matches]


def _label_fields(label: Label) -> dict[str, object]:
    return {
        "id": label.id,
        "item": label.item,
        "scheme": label.scheme,
        "version": label.version,
        "label": label.label,
        "set_at": label.set_at.isoformat(),
        "set_by": label.set_by,
    }


def _note_fields(note: Note) -> dict[str, object]:
    return {
        "id": note.id,
        "written_at": note.written_at.isoformat(),
        "written_by": note.written_by,
        "words": note.words,
    }


def _decision_fields(decision: KeptDecision) -> dict[str, object]:
    return {
        "id": decision.id,
        "stage": decision.stage,
        "decision": decision.decision,
        "basis": decision.basis,
        "decided_at": decision.decided_at.isoformat(),
        "decided_by": decision.decided_by,
        "person": decision.person,
        "reason": decision.reason,
        "second_look": decision.second_look,
        "undone_at": _moment(decision.undone_at),
    }


def _elsewhere_fields(other: Elsewhere) -> dict[str, object]:
    return {
        "case": other.case,
        "state": other.state,
        "opened_at": other.opened_at.isoformat(),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
