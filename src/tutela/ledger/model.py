"""The nouns: who acts, what is done, and the entry that says so."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from tutela.errors import StorageError

EntryNumber = NewType("EntryNumber", int)
"""An entry's place in the ledger: 0 for the first, without gaps."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something.

    Attributes:
        name: What people call them, as it is written beside a list's entry: ``cli:<user of the
            machine>``, ``key:<name of the API key>``, a person's name, ``tutela`` for what it does
            by itself.
        id: What the ledger calls them, which is no personal datum: ``os:<number of the user>``,
            ``key:<number of the API key>``, ``person:<number>``, ``tutela``.
        role: In which capacity they act: ``operator``, ``program``, ``person``, ``system``.
        face: From where they act: ``cli``, ``api``, ``console``, ``job``.
    """

    name: str
    id: str
    role: str
    face: str


OPERATOR = "operator"
"""The role of whoever runs commands on the machine itself."""

SYSTEM = Actor("tutela", "tutela", "system", "job")
"""Tutela itself, for what no person asked for."""


class Act(StrEnum):
    """What is done, as ``noun.verb``. A word once used is never given another meaning."""

    CASE_OPENED = "case.opened"
    CASE_ITEM_ADDED = "case.item-added"
    CASE_MOVED = "case.moved"
    CASE_TAKEN = "case.taken"
    CASE_GIVEN_BACK = "case.given-back"
    CASE_ASSIGNED = "case.assigned"
    CASE_FACTS_CHANGED = "case.facts-changed"
    CASE_LABELLED = "case.labelled"
    CASE_LABEL_REMOVED = "case.label-removed"
    CASE_NOTED = "case.noted"
    CASE_READ = "case.read"
    CASE_SEARCHED = "case.searched"
    EVIDENCE_VIEWED = "evidence.viewed"
    EVIDENCE_VIEW_ENDED = "evidence.view-ended"
    EVIDENCE_SEALED = "evidence.sealed"
    EVIDENCE_DESTROYED = "evidence.destroyed"
    EVIDENCE_EVENT = "evidence.event-recorded"
    EVIDENCE_EVENT_AGREED = "evidence.event-agreed"
    EVIDENCE_EVENT_WITHDRAWN = "evidence.event-withdrawn"
    EVIDENCE_HELD = "evidence.held"
    EVIDENCE_RELEASED = "evidence.released"
    EVIDENCE_RULE_ASSIGNED = "evidence.rule-assigned"
    DESTRUCTION_BEGUN = "evidence.destruction-begun"
    DESTRUCTION_STOPPED = "evidence.destruction-stopped"
    EVIDENCE_MISSED = "evidence.missed"
    EVIDENCE_DAMAGED = "evidence.damaged"
    EVIDENCE_VERIFIED = "evidence.verified"
    RETENTION_RULE_CONFIRMED = "retention-rule.confirmed"
    CLOCK_AFFIRMED = "clock.affirmed"
    DISCLOSURE_REQUESTED = "disclosure.requested"
    DISCLOSURE_AGREED = "disclosure.agreed"
    DISCLOSURE_REFUSED = "disclosure.refused"
    DISCLOSURE_MADE = "disclosure.made"
    BACKUP_MADE = "backup.made"
    BACKUP_RESTORED = "backup.restored"
    VAULT_KEYS_ROTATED = "vault.keys-rotated"
    REASON_ERASED = "ledger.reason-erased"
    LEDGER_KEY_RENEWED = "ledger.key-renewed"
    PERSON_INVITED = "person.invited"
    INVITATION_WITHDRAWN = "person.invitation-withdrawn"
    PERSON_ADDED = "person.added"
    PERSON_CHANGED = "person.changed"
    PERSON_CLOSED = "person.closed"
    PERSON_SIGNED_IN = "person.signed-in"
    PERSON_SIGNED_OUT = "person.signed-out"
    PERSON_LOCKED_OUT = "person.locked-out"
    PERSON_UNLOCKED = "person.unlocked"
    PERSON_PROVED = "person.proved-again"
    SIGN_IN_CHANGED = "person.sign-in-changed"
    AGREEMENT_ASKED = "agreement.asked"
    AGREEMENT_GIVEN = "agreement.given"
    AGREEMENT_REFUSED = "agreement.refused"
    KEY_ADDED = "key.added"
    KEY_REVOKED = "key.revoked"
    LIST_CREATED = "list.created"
    LIST_REMOVED = "list.removed"
    LIST_EXPORTED = "list.exported"
    ENTRIES_ADDED = "list.entries-added"
    ENTRIES_WITHDRAWN = "list.entries-withdrawn"
    ENTRIES_RESTORED = "list.entries-restored"
    ENTRY_FLAGGED = "list.entry-flagged"
    ENTRY_FLAG_SETTLED = "list.entry-flag-settled"
    AUTHORITY_CONFIRMED = "authority.row-confirmed"
    AUTHORITY_WITHDRAWN = "authority.confirmation-withdrawn"
    AUTHORITY_ADDED = "authority.row-added"
    AUTHORITY_CHANNEL_SET = "authority.channel-set"
    CASE_CLOCK_NEAR = "case.clock-near"
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_REMOVED = "webhook.removed"
    WEBHOOK_TESTED = "webhook.tested"
    STREAM_BEGUN = "stream.begun"
    STREAM_STOPPED = "stream.stopped"
    REPORT_DRAFTED = "report.drafted"
    REPORT_CHANGED = "report.changed"
    REPORT_READ = "report.read"
    REPORT_SIGNED = "report.signed"
    REPORT_APPROVED = "report.approved"
    REPORT_RETURNED = "report.returned"
    REPORT_QUEUED = "report.queued"
    REPORT_SENT = "report.sent"
    REPORT_FOLLOWED = "report.followed"
    REPORT_STOPPED = "report.stopped"
    REPORT_DISCARDED = "report.discarded"
    REPORT_SAID_SENT = "report.said-sent"
    REPORT_SAID_UNSENT = "report.said-unsent"
    REPORT_FEEDBACK_RECEIVED = "report.feedback-received"
    REPORT_FEEDBACK_READ = "report.feedback-read"
    REPORT_FEEDBACK_ATTACHED = "report.feedback-attached"
    REPORT_FEEDBACK_SETTLED = "report.feedback-settled"
    SUBJECT_WANTED = "subject.wanted"
    SUBJECT_SUPPLIED = "subject.supplied"
    CHANNEL_LIVE = "report.channel-live"
    CHANNEL_RESUMED = "report.channel-resumed"
    JOB_MENDED = "job.mended"
    JOB_RETRIED = "job.retried"
    JOB_DROPPED = "job.dropped"


@dataclass(frozen=True, slots=True)
class Entry:
    """One act, as the ledger keeps it. It holds ids only, never a person's name or words.

    Attributes:
        number: Its place.
        at: When, to the microsecond.
        actor: The actor's id.
        role: In which capacity the actor acted.
        face: From where.
        act: What was done.
        case: The case's number, if it was about one.
        item: The item's id, if it was about one.
        thing: Another thing's id, such as ``list:3``, ``key:5``, ``job:8``.
        reason: A commitment to the words that say why, which are kept apart and can be erased, or
            ``None`` if none were given.
    """

    number: EntryNumber
    at: datetime
    actor: str
    role: str
    face: str
    act: str
    case: str | None
    item: str | None
    thing: str | None
    reason: bytes | None


class AlteredLedgerError(StorageError):
    """The ledger is not what it was when it was signed: somebody changed it, or rolled it back."""
