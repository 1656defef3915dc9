"""The durable job table: work that leaves the process, kept as rows beside what caused it.

Work is enqueued in the transaction of the fact that causes it, leased to one worker at a time,
tried again when it fails, and kept for a person to look at when it fails for good. See
``docs/jobs.md`` and ``docs/decisions/0020``.
"""
