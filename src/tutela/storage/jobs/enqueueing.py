"""Enqueueing a job in the transaction of the fact that causes it."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from tutela.errors import InvalidInputError
from tutela.storage.clock import Clock
from tutela.storage.database import insert_or_ignore
from tutela.storage.jobs.model import JSON, JobId, State
from tutela.storage.jobs.tables import jobs

_PAYLOAD_BYTES = 64 << 10


def enqueue(
    connection: Connection,
    kind: str,
    payload: Mapping[str, JSON],
    clock: Clock,
    *,
    dedupe: str | None = None,
    at: datetime | None = None,
) -> JobId:
    """Have something done soon, by whichever worker comes first, if this transaction commits.

    Args:
        connection: A transaction of ``database.writing()``.
        kind: The name of the kind.
        payload: What it is about: ids only, never what a person wrote or a file's name.
        clock: The time.
        dedupe: A key of which there is one job at a time. While one that has it waits, runs or is
            dead, nothing is enqueued. A running handler may have read the facts already before
            this transaction changed them: leave the key out where that matters.
        at: Not before this moment.

    Returns:
        The job's number, or that of the one that has the key.

    Raises:
        InvalidInputError: The payload is not JSON, or is over 64 KiB; a name is too long.
    """
    check_payload(payload)
    if not 0 < len(kind) <= 100 or (dedupe is not None and not 0 < len(dedupe) <= 200):
        raise InvalidInputError("a job's kind has 1 to 100 characters, its dedupe key 1 to 200")
    now = clock()
    values = {
        "kind": kind,
        "state": State.READY,
        "payload": dict(payload),
        "dedupe": dedupe,
        "attempts": 0,
        "token": 0,
        "due_at": at or now,
        "enqueued_at": now,
    }
    insertion = insert_or_ignore(connection, jobs).values(values).returning(jobs.c.id)
    while True:
        made = connection.execute(insertion).scalar_one_or_none()
        if made is not None:
            return JobId(made)
        there = connection.execute(
            select(jobs.c.id).where(jobs.c.dedupe == dedupe)
        ).scalar_one_or_none()
        if there is not None:
            return JobId(there)
        # On PostgreSQL it may have been finished between the two.


def check_payload(payload: Mapping[str, JSON]) -> None:
    """Let only what both databases can keep pass.

    Raises:
        InvalidInputError: The payload is not a JSON object, or is over 64 KiB.
    """
    try:
        if not isinstance(payload, Mapping):
            raise TypeError
        size = len(json.dumps(dict(payload), allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise InvalidInputError(
            'a job\'s payload is a JSON object, such as {"case": "7K3M-9QPD-2X4H"}'
        ) from None
    if size > _PAYLOAD_BYTES:
        raise InvalidInputError("a job's payload is at most 64 KiB: it holds ids, not things")
