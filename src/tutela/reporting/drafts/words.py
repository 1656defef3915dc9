"""The words of a case in what a report says: who reads them, and that it counts.

Whoever may read reports reads what a house says, and not for that what a child was told: words are
shown to people who may look at evidence, and what they read counts as looked at.
"""

from copy import deepcopy
from typing import Any

from sqlalchemy import Connection

from tutela.accounts.model import Caller
from tutela.accounts.permissions import Permission
from tutela.cases.telling_words import count_words
from tutela.reporting.drafts.drafting import Draft
from tutela.reporting.model import Report
from tutela.storage.clock import Clock

HIDDEN = "(words of the case: read by whoever may look at its evidence)"
"""Stands where words are that somebody is not shown."""

_PLACES, _WORDS = "internet_details", "content"


def may_read_words(caller: Caller) -> bool:
    """Whether somebody is shown the words of cases: people who may look at evidence.

    The machine's operator is not counted: nothing there is shown but what they ask for.
    """
    return caller.is_human and Permission.EVIDENCE_VIEW in caller.permissions


def enter_words(
    connection: Connection, report: Report, draft: Draft | None, caller: Caller, clock: Clock
) -> None:
    """Write down that somebody is about to read the words of a draft, if they do. Do it last."""
    if draft is not None and may_read_words(caller) and draft != without_words(draft):
        count_words(connection, report.case, caller, clock)


def shown_to(draft: Draft, caller: Caller) -> Draft:
    """A draft as a caller is shown it."""
    return draft if may_read_words(caller) else without_words(draft)


def without_words(draft: Draft) -> Draft:
    """The same draft with ``HIDDEN`` in the place of each case's words. Pure."""
    if _PLACES not in draft.values:
        return draft
    values: dict[str, Any] = deepcopy(dict(draft.values))
    for place in values[_PLACES]:
        for part in place.values():
            if isinstance(part, dict) and part.get(_WORDS):
                part[_WORDS] = HIDDEN
    return Draft(values, draft.files)
