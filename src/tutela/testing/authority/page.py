"""The page at ``/``: what arrived, for whoever wants to see that a case went all the way."""

import base64
import hashlib
from datetime import datetime
from html import escape

from tutela.testing.authority.model import File, Report, State
from tutela.testing.authority.registry import Registry

_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1c1917; --quiet: #57534e;
  --line: #d6d3d1; --mark: #1f4f9c; --link: #1d4ed8; }
@media (prefers-color-scheme: dark) { :root { --ground: #1c1917; --ink: #f5f5f4; --quiet: #a8a29e;
  --line: #57534e; --mark: #9cc2ff; --link: #93c5fd; } }
a { color: var(--link); }
body { background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
  max-width: 56rem; margin: 0 auto; padding: 1rem; }
header p { border: 2px dotted var(--mark); border-radius: .5rem; padding: .75rem 1rem; }
header strong { color: var(--mark); }
article { border: 1px solid var(--line); border-radius: .5rem; padding: 0 1rem 1rem;
  margin: 1rem 0; }
h2 { font-size: 1.1rem; margin-bottom: .25rem; }
.quiet, dt, th { color: var(--quiet); font-weight: normal; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-top: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line);
  border-radius: .5rem; padding: .75rem; }
code, pre { font-size: .85rem; }
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What a browser is told with the page: nothing in it may run, and it is not kept."""

_STATES = {
    State.OPEN: "not finished yet",
    State.FINISHED: "received",
    State.RETRACTED: "taken back by its sender",
    State.EXPIRED: "never finished, and deleted",
}


def page(registry: Registry, most_shown: int = 100) -> str:
    """The page, as HTML.

    Args:
        registry: What arrived.
        most_shown: Of how many reports, the newest.
    """
    counts = registry.counts()
    reports = registry.reports(newest=most_shown)
    shown = "".join(_article(each) for each in reversed(reports)) or _NONE
    total = sum(counts.values())
    counted = ", ".join(f"{counts[state]} {_STATES[state]}" for state in State if counts[state])
    more = f" The newest {most_shown} are shown." if total > most_shown else ""
    summary = f"{_many(total, 'report')}: {counted}.{more}" if total else "No report yet."
    return _PAGE.format(style=_STYLE, summary=summary, now=_time(registry.now()), shown=shown)


def _article(report: Report) -> str:
    times = f"opened {_time(report.opened_at)}"
    if report.ended_at:
        times += f", {report.state} {_time(report.ended_at)}"
    files = "".join(_row(file) for file in report.files)
    table = (
        "<table><thead><tr><th>file</th><th>bytes</th><th>MD5</th><th>details</th></tr></thead>"
        f"<tbody>{files}</tbody></table>"
        if files
        else ""
    )
    return (
        f"<article><h2>Report {report.number}: {_STATES[report.state]}</h2>"
        f'<p class="quiet">{times}, by <b>{escape(report.user)}</b>, '
        f"with {_many(len(report.files), 'file')}</p>"
        f"{table}<details><summary>What it says</summary>"
        f"<pre>{escape(report.document)}</pre></details></article>"
    )


def _row(file: File) -> str:
    details = (
        f"<details><summary>sent</summary><pre>{escape(file.details)}</pre></details>"
        if file.details
        else "none"
    )
    return (
        f"<tr><td>{escape(file.name)}</td><td>{file.size:,}</td>"
        f"<td><code>{file.md5}</code></td><td>{details}</td></tr>"
    )


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _time(moment: datetime) -> str:
    return f'<time datetime="{moment.isoformat()}">{moment:%Y-%m-%d %H:%M:%S} UTC</time>'


_NONE = "<p>As soon as Tutela sends one, it stands here.</p>"
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SANDBOX authority</title><style>{style}</style></head>
<body><header><h1>What arrived</h1>
<p><strong>SANDBOX, nothing here goes anywhere.</strong> This stands in for an authority on your own
machine. No report that you see here has reached anybody, and the bytes of files were not kept.</p>
</header><main><p>{summary} <a href="/">Look again</a></p>{shown}</main>
<footer class="quiet"><p>Its clock says {now}.</p></footer></body></html>
"""
