"""What may be done, and by whom: the permissions, and the roles that are made of them.

Every route, page and command names the permission that it needs. A person has the permissions of
their roles, an API key those that it was given; one that belongs to a person never has more than
that person.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """What may be done."""

    SCREEN = "screen"
    SCREEN_DETAILS = "screen:details"
    SCREEN_FETCH = "screen:fetch"
    LISTS_READ = "lists:read"
    LISTS_WRITE = "lists:write"
    CASES_READ = "cases:read"
    CASES_OPEN = "cases:open"
    CASES_REVIEW = "cases:review"
    CASES_LEAD = "cases:lead"
    EVIDENCE_VIEW = "evidence:view"
    EVIDENCE_KEEP = "evidence:keep"
    EVIDENCE_DISCLOSE = "evidence:disclose"
    SUBJECTS_WRITE = "subjects:write"
    REPORTS_READ = "reports:read"
    REPORTS_WRITE = "reports:write"
    REPORTS_APPROVE = "reports:approve"
    AUTHORITIES_WRITE = "authorities:write"
    FEEDBACK_WRITE = "feedback:write"
    LEDGER_READ = "ledger:read"
    LEDGER_WRITE = "ledger:write"
    LOAD_READ = "load:read"
    NUMBERS_READ = "numbers:read"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    STREAMS_READ = "streams:read"
    STREAMS_WRITE = "streams:write"
    SETTINGS_READ = "settings:read"
    HOUSE_KEEP = "house:keep"
    METRICS_READ = "metrics:read"

    @property
    def meaning(self) -> str:
        """What it allows, in a few words."""
        return _MEANINGS[self]


_MEANINGS = {
    Permission.SCREEN: "screen files and fingerprints",
    Permission.SCREEN_DETAILS: "see which list matched, and how closely",
    Permission.SCREEN_FETCH: "have addresses fetched, to screen what is there",
    Permission.LISTS_READ: "see the names, sizes and origins of lists (never their entries)",
    Permission.LISTS_WRITE: "create lists, add entries and withdraw them",
    Permission.CASES_READ: "read the queue and the cases, without media",
    Permission.CASES_OPEN: "open a case by hand, add items and appeals to one",
    Permission.CASES_REVIEW: "take cases from the queue, label and decide them",
    Permission.CASES_LEAD: "assign cases, settle disagreements, decide appeals, reopen",
    Permission.EVIDENCE_VIEW: "look at the media of a case that one holds",
    Permission.EVIDENCE_KEEP: "hold, verify and destroy evidence, record what happens in law",
    Permission.EVIDENCE_DISCLOSE: "ask for a disclosure of evidence, or agree to another person's",
    Permission.SUBJECTS_WRITE: "supply what is known of those whom a confirmed case concerns",
    Permission.REPORTS_READ: "read the reports to authorities",
    Permission.REPORTS_WRITE: "write, sign, send, return and discard reports",
    Permission.REPORTS_APPROVE: "agree that a report is sent that another person signed",
    Permission.AUTHORITIES_WRITE: "stand for whom cases are reported to, set how they are reached",
    Permission.FEEDBACK_WRITE: "enter what authorities say of reports, and settle what they want",
    Permission.LEDGER_READ: "read and verify the ledger",
    Permission.LEDGER_WRITE: "erase words from the ledger, renew its key",
    Permission.LOAD_READ: "see how much reviewers had to look at, and who takes a break",
    Permission.NUMBERS_READ: "see the counts of cases, decisions and times",
    Permission.JOBS_READ: "see the jobs, also those that failed",
    Permission.JOBS_WRITE: "retry, mend and drop jobs",
    Permission.PEOPLE_READ: "see the people and their roles",
    Permission.PEOPLE_WRITE: "invite people, change their roles, close their accounts",
    Permission.KEYS_READ: "see the API keys, without their secrets",
    Permission.KEYS_WRITE: "make and revoke API keys",
    Permission.WEBHOOKS_READ: "see the webhooks and what was delivered",
    Permission.WEBHOOKS_WRITE: "add, test and remove webhooks",
    Permission.STREAMS_READ: "see which live streams are watched, and how they stand",
    Permission.STREAMS_WRITE: "have live streams watched, and stop that",
    Permission.SETTINGS_READ: "see the settings and the health of the house, without secrets",
    Permission.HOUSE_KEEP: "back the house up and restore it, rotate its keys",
    Permission.METRICS_READ: "read the counts of verdicts at /metrics",
}


class Role(StrEnum):
    """In which capacity a person works. One may have several."""

    INTAKE = "intake"
    REVIEWER = "reviewer"
    LEAD = "lead"
    CUSTODIAN = "custodian"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"

    @property
    def meaning(self) -> str:
        """What such a person does, in a few words."""
        return _ROLES[self][0]

    @property
    def permissions(self) -> frozenset[Permission]:
        """What such a person may do."""
        return _ROLES[self][1]


_ROLES: Mapping[Role, tuple[str, frozenset[Permission]]] = MappingProxyType(
    {
        Role.INTAKE: (
            "takes in what others report, and never has to look",
            frozenset({Permission.CASES_READ, Permission.CASES_OPEN}),
        ),
        Role.REVIEWER: (
            "decides cases",
            frozenset(
                {
                    Permission.CASES_READ,
                    Permission.CASES_OPEN,
                    Permission.CASES_REVIEW,
                    Permission.EVIDENCE_VIEW,
                    Permission.SCREEN_DETAILS,
                    Permission.REPORTS_READ,
                    Permission.REPORTS_WRITE,
                    Permission.FEEDBACK_WRITE,
                }
            ),
        ),
        Role.LEAD: (
            "looks after the reviewers, and settles what they do not agree on",
            frozenset(
                {
                    Permission.CASES_READ,
                    Permission.CASES_OPEN,
                    Permission.CASES_REVIEW,
                    Permission.CASES_LEAD,
                    Permission.EVIDENCE_VIEW,
                    Permission.SCREEN_DETAILS,
                    Permission.LISTS_READ,
                    Permission.LOAD_READ,
                    Permission.NUMBERS_READ,
                    Permission.STREAMS_READ,
                    Permission.STREAMS_WRITE,
                    Permission.REPORTS_READ,
                    Permission.REPORTS_WRITE,
                    Permission.REPORTS_APPROVE,
                    Permission.FEEDBACK_WRITE,
                }
            ),
        ),
        Role.CUSTODIAN: (
            "keeps the evidence and hands it to authorities",
            frozenset(
                {
                    Permission.CASES_READ,
                    Permission.EVIDENCE_KEEP,
                    Permission.EVIDENCE_DISCLOSE,
                    Permission.REPORTS_READ,
                    Permission.AUTHORITIES_WRITE,
                    Permission.FEEDBACK_WRITE,
                    Permission.LEDGER_READ,
                }
            ),
        ),
        Role.AUDITOR: (
            "sees what was done, and changes nothing",
            frozenset(
                {
                    Permission.CASES_READ,
                    Permission.SCREEN_DETAILS,
                    Permission.REPORTS_READ,
                    Permission.LISTS_READ,
                    Permission.LEDGER_READ,
                    Permission.NUMBERS_READ,
                    Permission.JOBS_READ,
                    Permission.PEOPLE_READ,
                    Permission.KEYS_READ,
                    Permission.WEBHOOKS_READ,
                    Permission.STREAMS_READ,
                    Permission.SETTINGS_READ,
                    Permission.METRICS_READ,
                }
            ),
        ),
        Role.ADMINISTRATOR: (
            "runs the house: people, keys, lists, webhooks, jobs; never looks at evidence",
            frozenset(
                {
                    Permission.LISTS_READ,
                    Permission.LISTS_WRITE,
                    Permission.LEDGER_READ,
                    Permission.LEDGER_WRITE,
                    Permission.NUMBERS_READ,
                    Permission.JOBS_READ,
                    Permission.JOBS_WRITE,
                    Permission.PEOPLE_READ,
                    Permission.PEOPLE_WRITE,
                    Permission.KEYS_READ,
                    Permission.KEYS_WRITE,
                    Permission.WEBHOOKS_READ,
                    Permission.WEBHOOKS_WRITE,
                    Permission.STREAMS_READ,
                    Permission.STREAMS_WRITE,
                    Permission.SETTINGS_READ,
                    Permission.HOUSE_KEEP,
                    Permission.METRICS_READ,
                }
            ),
        ),
    }
)


WEIGHTY = frozenset({Role.ADMINISTRATOR, Role.CUSTODIAN})
"""Roles that one administrator alone does not give where there are two."""

FOR_PROGRAMS = frozenset(
    {
        Permission.SCREEN,
        Permission.SCREEN_DETAILS,
        Permission.SCREEN_FETCH,
        Permission.LISTS_READ,
        Permission.LISTS_WRITE,
        Permission.CASES_READ,
        Permission.CASES_OPEN,
        Permission.SUBJECTS_WRITE,
        Permission.NUMBERS_READ,
        Permission.JOBS_READ,
        Permission.WEBHOOKS_READ,
        Permission.STREAMS_READ,
        Permission.STREAMS_WRITE,
        Permission.METRICS_READ,
    }
)
"""What people may give a key that belongs to nobody. What decides on others needs a person."""


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """What a person with these roles may do."""
    return frozenset().union(*(role.permissions for role in roles))
