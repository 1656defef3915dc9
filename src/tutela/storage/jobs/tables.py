"""Tables of the jobs."""

from sqlalchemy import JSON, Column, Index, Integer, String, Table

from tutela.storage.schema import Moment, RowId, metadata

ERROR_LENGTH = 1000

jobs = Table(
    "jobs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", String(100), nullable=False),
    Column("state", String(10), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("dedupe", String(200), unique=True),
    Column("attempts", Integer, nullable=False),
    Column("token", RowId, nullable=False),
    # When somebody has to look at it next: what it means in each state is told in the model.
    Column("due_at", Moment, nullable=False),
    Column("enqueued_at", Moment, nullable=False),
    Column("worker", String(300)),
    Column("error", String(ERROR_LENGTH)),
    Column("failed_at", Moment),
    Index("ix_jobs_kind_state_due_at_id", "kind", "state", "due_at", "id"),
    Index("ix_jobs_state_id", "state", "id"),
    # Without it SQLite gives the highest number anew once its row is deleted, and a worker that
    # was thought dead could finish another job than its own.
    sqlite_autoincrement=True,
)

job_schedules = Table(
    "job_schedules",
    metadata,
    Column("kind", String(100), primary_key=True),
    # Up to here the schedule has been seen to.
    Column("seen_to", Moment, nullable=False),
    Column("job_id", RowId),
)
