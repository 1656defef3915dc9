"""Where the frame of every page leads to, by what a person may do."""

from collections.abc import Collection
from dataclasses import dataclass

from tutela.accounts.permissions import Permission


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation.

    Attributes:
        name: The key of its text.
        path: Where it leads.
        permission: What one has to be allowed to see it; ``None`` for everybody signed in.
        key: The letter that leads there, after ``g``.
    """

    name: str
    path: str
    permission: Permission | None
    key: str


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together.

    Attributes:
        name: The key of its heading.
        entries: The lines.
    """

    name: str
    entries: tuple[Entry, ...]


NAVIGATION = (
    Group(
        "nav_work",
        (
            Entry("nav_queue", "/queue", Permission.CASES_READ, "q"),
            Entry("nav_new_case", "/cases/new", Permission.CASES_OPEN, "o"),
            Entry("nav_appeals", "/appeals", Permission.CASES_READ, "a"),
            Entry("nav_reports", "/reports", Permission.REPORTS_READ, "r"),
            Entry("nav_search", "/search", Permission.CASES_READ, "s"),
            Entry("nav_load", "/load", Permission.LOAD_READ, "l"),
        ),
    ),
    Group(
        "nav_house",
        (
            Entry("nav_numbers", "/numbers", Permission.NUMBERS_READ, "n"),
            Entry("nav_unreadable", "/unreadable", Permission.NUMBERS_READ, "u"),
            Entry("nav_lists", "/lists", Permission.LISTS_READ, "i"),
            Entry("nav_flags", "/lists/flags", Permission.LISTS_READ, "f"),
            Entry("nav_authorities", "/authorities", Permission.CASES_READ, "t"),
            Entry("nav_webhooks", "/webhooks", Permission.WEBHOOKS_READ, "w"),
            Entry("nav_streams", "/streams", Permission.STREAMS_READ, "v"),
            Entry("nav_jobs", "/jobs", Permission.JOBS_READ, "j"),
            Entry("nav_ledger", "/ledger", Permission.LEDGER_READ, "e"),
            Entry("nav_settings", "/settings", Permission.SETTINGS_READ, "c"),
            Entry("nav_health", "/health", Permission.SETTINGS_READ, "h"),
        ),
    ),
    Group(
        "nav_people",
        (
            Entry("nav_all_people", "/people", Permission.PEOPLE_READ, "p"),
            Entry("nav_keys", "/keys", Permission.KEYS_READ, "k"),
        ),
    ),
)
"""All of it. A page that people are to find adds its line here."""


def navigation_for(permissions: Collection[Permission]) -> tuple[Group, ...]:
    """What a person with these permissions is led to; groups without a line are left out."""
    groups = (
        Group(
            group.name,
            tuple(
                entry
                for entry in group.entries
                if entry.permission is None or entry.permission in permissions
            ),
        )
        for group in NAVIGATION
    )
    return tuple(group for group in groups if group.entries)


def line_of(path: str) -> str:
    """The path of the navigation's line that a page belongs to: its own, or that of a page above.

    It is an empty text for a page that no line leads to.
    """
    paths = [entry.path for group in NAVIGATION for entry in group.entries]
    above = [each for each in paths if path == each or path.startswith(f"{each}/")]
    return max(above, key=len, default="")


def first_page(permissions: Collection[Permission], *, alone: bool = False) -> str:
    """Where a person with these permissions begins.

    Args:
        permissions: What they may do.
        alone: Whether nobody else works here: then whoever is not to look at cases begins by
            inviting somebody who does.
    """
    if (
        alone
        and Permission.PEOPLE_WRITE in permissions
        and Permission.CASES_READ not in permissions
    ):
        return "/people"
    for group in navigation_for(permissions):
        return group.entries[0].path
    return "/me"
