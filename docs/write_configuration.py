"""Writes docs/configuration.md from the settings themselves: ``make docs``."""

from enum import Enum
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tutela.storage.settings import (
    ENVIRONMENT_PREFIX,
    FILE_NAME,
    Automatic,
    Care,
    Company,
    Console,
    CyberTipline,
    Links,
    Mail,
    OnEachUnreadable,
    Policy,
    Reporting,
    Review,
    Sandbox,
    Settings,
    SingleSignOn,
    Statistics,
    Streams,
    Webhooks,
)

PAGE = Path(__file__).with_name("configuration.md")

_HEAD = f"""# Configuration

<!-- Written by docs/write_configuration.py from src/tutela/storage/settings.py: change that. -->

Tutela runs without any configuration. What you do set, you set in one of three places; the first
that has a value wins:

1. the command line (`--data`, `--host`, `--port`, `--workers`);
2. the environment: `{ENVIRONMENT_PREFIX}` and the name in capitals, such as
   `{ENVIRONMENT_PREFIX}PORT=9000`; inside a section with two underscores, such as
   `{ENVIRONMENT_PREFIX}POLICY__MAX_DISTANCE=20`;
3. the file `{FILE_NAME}` in the folder where Tutela is started, or the file that
   `{ENVIRONMENT_PREFIX}CONFIG` names.

Everything is checked when a command starts. A wrong value stops it with a line that names the key,
where it is set, and the fix:

    error: {FILE_NAME}: policy.on_match: is 'blok', but should be 'block', 'pass' or 'count'

## Settings

"""

_MAIL = """
## Mail: how it is sent

In the section `[mail]`, for the ledger's checkpoints:

"""

# One section after another: its class, and the words above its table.
_SECTIONS: tuple[tuple[type[BaseModel], str], ...] = (
    (
        Console,
        """
## Console: the pages that people work with

In the section `[console]`:

""",
    ),
    (
        Review,
        """
## Review: how people decide on cases

In the section `[review]`:

""",
    ),
    (
        SingleSignOn,
        """
## Single sign-on: another house that says who people are

In the section `[single_sign_on]`; see [signing in](signing-in.md):

""",
    ),
    (
        Links,
        """
## Links: whether addresses are fetched, and how

In the section `[links]`; see [addresses and texts](links.md#fetching-what-is-there):

""",
    ),
    (
        Webhooks,
        """
## Webhooks: how the platform is told

In the section `[webhooks]`; see [webhooks](webhooks.md):

""",
    ),
    (
        Reporting,
        """
## Reporting: whom a case goes to, and until when

In the section `[reporting]`; see [authorities](authorities.md):

""",
    ),
    (
        CyberTipline,
        """
## CyberTipline: how reports get there

In the section `[reporting.cybertipline]`; see [how reports are sent](reporting-delivery.md):

""",
    ),
    (
        Company,
        """
### Who reports

In the section `[reporting.company]`; see [reports](reporting.md#who-reports):

""",
    ),
    (
        Automatic,
        """
### Reports that go without a person

In the section `[reporting.automatic]`; see [reports](reporting.md#without-a-person):

""",
    ),
    (
        Statistics,
        """
## Statistics: what the public is shown

In the section `[statistics]`; see [appeals and statistics](appeals.md):

""",
    ),
    (
        Sandbox,
        """
## Sandbox: how untrusted files are kept apart, and what one may cost

In the section `[sandbox]`; see [the sandbox](sandbox.md):

""",
    ),
    (
        Streams,
        """
## Streams: which live streams are watched, and how

In the section `[streams]`; see [live streams](streams.md):

""",
    ),
    (
        Care,
        """
## Care: how much a person is shown, and when they rest

In the section `[care]`; [wellbeing](wellbeing.md) says why these are the defaults:

""",
    ),
    (
        OnEachUnreadable,
        """
## Unreadable: what becomes of files that could not be looked at

In the section `[unreadable]`: `refuse`, `pass` or `queue`. [Unreadable](unreadable.md) says what
each means, and why these are the defaults:

""",
    ),
)

_POLICY = """
## Policy: what a match means

In the section `[policy]`:

"""

_TAIL = """
Each list may differ, in a section that bears its name:

```toml
[policy]
on_match = "block"

[policy.lists."partner-hotline"]
max_distance = 24

[policy.lists."on trial"]
on_match = "count"
```

| `on_match` | a case is opened | the caller is told |
|---|---|---|
| `block` | yes | `match` |
| `pass` | yes | `clear`, unless its key has the scope `screen:details`: then also the case |
| `count` | no, one more is counted | `clear` |

If several lists match, the strictest decides.
"""


def page() -> str:
    """The whole page."""
    sections = "".join(heading + _table(section) for section, heading in _SECTIONS)
    return (
        _HEAD + _table(Settings) + _MAIL + _table(Mail) + sections
        + _POLICY + _table(Policy) + _TAIL
    )  # fmt: skip


def _table(section: type[BaseModel]) -> str:
    rows = ["| key | default | meaning |", "|---|---|---|"]
    rows += [
        f"| `{name}` | {_default(field)} | {field.description} |"
        for name, field in section.model_fields.items()
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel))
    ]
    return "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None or field.default is None:
        return ""
    if isinstance(field.default, tuple):
        return ", ".join(f"`{each}`" for each in field.default)
    value = field.default.value if isinstance(field.default, Enum) else field.default
    return f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
