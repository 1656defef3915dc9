"""What tells one wording of a report from another.

By it nobody overwrites what they never saw, and nobody signs what they never read: whoever acts
gives the seal of what they read, and it is compared behind the lock under which they act.
"""

import hashlib
import json

from tutela.errors import OutOfTurnError
from tutela.reporting.drafts.drafting import Draft
from tutela.reporting.model import ReportId


class ChangedMeanwhileError(OutOfTurnError):
    """The report is not as it was when it was read."""


def seal_of(draft: Draft) -> str:
    """The seal of a wording: SHA-256 in hex of all that it says."""
    said = [draft.values, [(each.item, each.values) for each in draft.files]]
    text = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def refuse_unread(draft: Draft, seal: str | None, report: ReportId) -> None:
    """See that a report still says what somebody read who stands for it now.

    Args:
        draft: What it says, read behind a lock.
        seal: Of what they read; ``None`` for whoever gives none, such as a program.
        report: The report.

    Raises:
        OutOfTurnError: It does not.
    """
    if seal is not None and seal != seal_of(draft):
        raise OutOfTurnError(
            "report {report} was changed after you opened its page: read it again as it is now",
            report=report,
        )


def refuse_overwriting(draft: Draft, seal: str | None, report: ReportId) -> None:
    """See that a draft is as it was when somebody began to type.

    Args:
        draft: What it says, read behind a lock.
        seal: Of what they began with; ``None`` for whoever gives none, such as a program.
        report: The report.

    Raises:
        ChangedMeanwhileError: It is not.
    """
    if seal is not None and seal != seal_of(draft):
        raise ChangedMeanwhileError(
            "somebody else changed report {report} meanwhile: what you typed is here, and "
            "not kept. Open the report anew in another window, compare, and write it there",
            report=report,
        )
