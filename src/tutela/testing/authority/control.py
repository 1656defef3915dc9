"""What no real authority has: telling what it took, and failing as told, under ``/control/``.

It is for whoever runs this server, on the same machine. A page of another site cannot call it: the
server answers to no other name than the machine's own, and what changes anything has to be JSON,
which a browser sends nowhere else without asking first.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict

from tutela.testing.authority.model import Fault, Made, Report
from tutela.testing.authority.registry import Registry


class Counts(BaseModel):
    """How much there is.

    Attributes:
        reports: How many, by their states.
        calls: How many, by what was asked.
    """

    model_config = ConfigDict(frozen=True)

    reports: dict[str, int]
    calls: dict[str, int]


class Ordered(BaseModel):
    """A fault that was ordered.

    Attributes:
        number: Its number.
        fault: The order.
        seen: How many calls it has seen since.
        done: How many of them failed by it.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    fault: Fault
    seen: int
    done: int


class Time(BaseModel):
    """What the authority takes for the time.

    Attributes:
        now: It.
    """

    model_config = ConfigDict(frozen=True)

    now: datetime


def controls(registry: Registry) -> APIRouter:
    """The routes of the control interface.

    Args:
        registry: What they tell of and change.
    """
    router = APIRouter(prefix="/control", dependencies=[Depends(_only_json)])

    @router.get("/reports")
    async def reports() -> list[Report]:
        """All reports with their files, in the order in which they were opened."""
        return registry.reports()

    @router.delete("/reports")
    async def forget() -> Counts:
        """Forget reports, files, calls and faults; numbers go on."""
        registry.forget_all()
        return _counts(registry)

    @router.get("/reports/{number}")
    async def report(number: int) -> Report:
        """One report with its files."""
        found = registry.report(number)
        if found is None:
            raise HTTPException(404, "there never was a report with this number")
        return found

    @router.get("/calls")
    async def calls() -> list[Made]:
        """All calls, in their order."""
        return registry.calls()

    @router.get("/counts")
    async def counts() -> Counts:
        """How many reports and calls there are."""
        return _counts(registry)

    @router.get("/faults")
    async def faults() -> list[Ordered]:
        """What was ordered, and how often it was done."""
        return _ordered(registry)

    @router.post("/faults")
    async def order(fault: Fault) -> list[Ordered]:
        """Fail at calls to come."""
        registry.order_fault(fault)
        return _ordered(registry)

    @router.delete("/faults")
    async def lift() -> list[Ordered]:
        """Fail no more."""
        registry.lift_faults()
        return _ordered(registry)

    @router.get("/clock")
    async def clock() -> Time:
        """What the authority takes for the time."""
        return Time(now=registry.now())

    @router.post("/clock")
    async def turn(seconds: Annotated[float, Body(embed=True)]) -> Time:
        """Let so much time go by at once."""
        registry.turn_clock(seconds)
        return Time(now=registry.now())

    return router


def _only_json(request: Request) -> None:
    if request.method == "POST" and request.headers.get("content-type") != "application/json":
        raise HTTPException(415, "send this as application/json")


def _counts(registry: Registry) -> Counts:
    return Counts(reports=registry.counts(), calls=registry.call_counts())


def _ordered(registry: Registry) -> list[Ordered]:
    return [
        Ordered(number=number, fault=fault, seen=seen, done=done)
        for number, fault, seen, done in registry.faults()
    ]
