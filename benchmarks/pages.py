"""Every page of the console that can be asked for, with what there is in a filled house."""

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from benchmarks.filling import Filled
from tutela.cases.states import State
from tutela.storage.clock import Clock

# These lead elsewhere, send files, or are for people who are not signed in yet.
_LEFT_OUT = re.compile(r"/(v1|static|docs|openapi\.json|healthz|readyz|metrics|sign-in|welcome)\b")
_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")


def pages(application: FastAPI, filled: Filled, clock: Clock) -> list[str]:
    """Addresses of pages: each that needs no more than a case's number, an entry's, or nothing.

    Args:
        application: The application over the house.
        filled: What there is in the house.
        clock: The time.
    """
    case = filled.cases[State.REPORTED]
    known = {"number": case, "case": case, "entry": str(filled.entries // 2)}
    found = [
        path for route in iter_route_contexts(application.routes) for path in _paths(route, known)
    ]
    return [*dict.fromkeys(found), *_variations(filled, clock)]


def _paths(route: object, known: dict[str, str]) -> Iterator[str]:
    path, methods = getattr(route, "path", None) or "", getattr(route, "methods", None) or ()
    if "GET" not in methods or _LEFT_OUT.match(path):
        return
    names = _PARAMETER.findall(path)
    if set(names) <= set(known) and ("number" not in names or path.startswith("/cases/")):
        yield _PARAMETER.sub(lambda match: known[match[1]], path)


def _variations(filled: Filled, clock: Clock) -> Iterable[str]:
    person = filled.reviewers[0][0].id
    since = (clock() - timedelta(days=30)).date()
    for tab in ("second-look", "disputed", "mine", "held", "decided"):
        yield f"/queue?tab={tab}"
    yield "/queue?only=severe"
    for state in filled.cases:
        yield f"/cases/{filled.cases[state]}"
    yield f"/ledger?case={filled.cases[State.CLOSED]}"
    yield f"/ledger?actor=person:{person}"
    yield "/ledger?act=case.moved"
    yield f"/ledger?actor=person:{person}&act=evidence.viewed"
    yield f"/ledger?actor=person:{person}&act=key.added"
    yield f"/ledger?since={since}&until={since}"
    yield f"/ledger?before={filled.entries // 2}"
    yield "/jobs?state=ready"
    yield "/numbers?days=365"
