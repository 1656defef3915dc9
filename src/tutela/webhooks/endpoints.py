"""Adding, changing and removing webhooks, and their secrets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from tutela.errors import InvalidInputError, NotFoundError
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock
from tutela.storage.kept_secrets import KeptSecrets
from tutela.storage.settings import Settings
from tutela.webhooks.addresses import checked_url
from tutela.webhooks.model import CHOOSABLE, DeliveryState, Endpoint, EndpointId, EventKind
from tutela.webhooks.signing import new_secret
from tutela.webhooks.tables import webhook_deliveries, webhook_endpoints, webhook_secrets

_MOST = 20


@dataclass(frozen=True, slots=True)
class Added:
    """A webhook that was added, or given another secret.

    Attributes:
        endpoint: The webhook.
        secret: What its receiver checks signatures with. It is shown once, now.
    """

    endpoint: Endpoint
    secret: str

    def as_fields(self) -> dict[str, object]:
        """As the faces show it, this once."""
        return {**self.endpoint.as_fields(), "secret": self.secret}


def add_endpoint(
    connection: Connection,
    settings: Settings,
    actor: Actor,
    clock: Clock,
    *,
    name: str,
    url: str,
    events: Iterable[EventKind],
) -> Added:
    """Tell one more receiver of what people decide.

    Raises:
        InvalidInputError: The name, the URL or the events cannot be used, or there are too many.
        StorageError: The secret cannot be sealed.
    """
    now = clock()
    if len(all_endpoints(connection, clock)) >= _MOST:
        raise InvalidInputError("there are {most} webhooks already: remove one first", most=_MOST)
    number = connection.execute(
        insert(webhook_endpoints)
        .values(
            name=_checked_name(name),
            url=checked_url(url, settings.webhooks.private_networks),
            events=_checked_events(events),
            is_on=True,
            created_at=now,
            created_by=actor.id,
            failures=0,
        )
        .returning(webhook_endpoints.c.id)
    ).scalar_one()
    secret = _keep_new_secret(connection, settings, EndpointId(number), now)
    endpoint = find_endpoint(connection, EndpointId(number), clock)
    append(connection, actor, Act.WEBHOOK_ADDED, clock, thing=endpoint.thing)
    return Added(endpoint, secret)


def change_endpoint(
    connection: Connection,
    settings: Settings,
    endpoint: EndpointId,
    actor: Actor,
    clock: Clock,
    *,
    name: str | None = None,
    url: str | None = None,
    events: Iterable[EventKind] | None = None,
    is_on: bool | None = None,
) -> Endpoint:
    """Change a webhook; what is ``None`` stays as it is.

    Raises:
        InvalidInputError: The name, the URL or the events cannot be used.
        NotFoundError: There is no such webhook.
    """
    find_endpoint(connection, endpoint, clock)
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = _checked_name(name)
    if url is not None:
        values["url"] = checked_url(url, settings.webhooks.private_networks)
        # Another receiver is not left alone for what the one before it did.
        values |= {"failures": 0, "failing_since": None, "rest_until": None, "alerted_at": None}
    if events is not None:
        values["events"] = _checked_events(events)
    if is_on is not None:
        values["is_on"] = is_on
    if values:
        _change(connection, endpoint, values)
    changed = find_endpoint(connection, endpoint, clock)
    append(connection, actor, Act.WEBHOOK_CHANGED, clock, thing=changed.thing)
    return changed


def rotate_secret(
    connection: Connection, settings: Settings, endpoint: EndpointId, actor: Actor, clock: Clock
) -> Added:
    """Give a webhook another secret. The one before it signs as well for a while.

    Raises:
        NotFoundError: There is no such webhook.
        StorageError: The secret cannot be sealed.
    """
    found, now = find_endpoint(connection, endpoint, clock), clock()
    # Of several old ones only the newest is still anybody's.
    connection.execute(
        update(webhook_secrets)
        .where(webhook_secrets.c.endpoint_id == endpoint, webhook_secrets.c.ends_at > now)
        .values(ends_at=now)
    )
    connection.execute(
        update(webhook_secrets)
        .where(webhook_secrets.c.endpoint_id == endpoint, webhook_secrets.c.ends_at.is_(None))
        .values(ends_at=now + timedelta(hours=settings.webhooks.rotation_hours))
    )
    secret = _keep_new_secret(connection, settings, endpoint, now)
    append(connection, actor, Act.WEBHOOK_CHANGED, clock, thing=found.thing, reason="a new secret")
    return Added(find_endpoint(connection, endpoint, clock), secret)


def remove_endpoint(
    connection: Connection, endpoint: EndpointId, actor: Actor, clock: Clock, *, reason: str = ""
) -> None:
    """Tell a receiver nothing more. Its secrets are erased, its log stays for its time.

    Raises:
        NotFoundError: There is no such webhook.
    """
    found = find_endpoint(connection, endpoint, clock)
    _change(connection, endpoint, {"removed_at": clock(), "is_on": False})
    connection.execute(webhook_secrets.delete().where(webhook_secrets.c.endpoint_id == endpoint))
    connection.execute(
        update(webhook_deliveries)
        .where(
            webhook_deliveries.c.endpoint_id == endpoint,
            webhook_deliveries.c.state == DeliveryState.WAITING,
        )
        .values(state=DeliveryState.WITHDRAWN, ended_at=clock())
    )
    append(connection, actor, Act.WEBHOOK_REMOVED, clock, thing=found.thing, reason=reason)


def all_endpoints(connection: Connection, clock: Clock) -> list[Endpoint]:
    """Every webhook that is not removed, the oldest first."""
    rows = connection.execute(_IN_USE.order_by(webhook_endpoints.c.id)).mappings().all()
    ending = {
        row.endpoint_id: row.ends_at
        for row in connection.execute(
            select(webhook_secrets.c.endpoint_id, webhook_secrets.c.ends_at).where(
                webhook_secrets.c.ends_at > clock()
            )
        )
    }
    return [_endpoint(row, ending.get(row["id"])) for row in rows]


def find_endpoint(connection: Connection, endpoint: EndpointId, clock: Clock) -> Endpoint:
    """One webhook.

    Raises:
        NotFoundError: There is none of this number, or it was removed.
    """
    for each in all_endpoints(connection, clock):
        if each.id == endpoint:
            return each
    raise NotFoundError(f'there is no webhook {endpoint}: see "tutela webhook ls"')


def valid_secrets(
    connection: Connection, settings: Settings, endpoint: EndpointId, now: datetime
) -> list[str]:
    """The secrets that sign now, the newest first.

    Raises:
        StorageError: The key that they are sealed under is missing, or they are altered.
    """
    kept = KeptSecrets(settings.keys_folder)
    rows = connection.execute(
        select(webhook_secrets.c.sealed)
        .where(
            webhook_secrets.c.endpoint_id == endpoint,
            webhook_secrets.c.ends_at.is_(None) | (webhook_secrets.c.ends_at > now),
        )
        .order_by(webhook_secrets.c.id.desc())
    )
    return [kept.open(sealed, _bound_to(endpoint)).decode() for sealed in rows.scalars()]


_IN_USE = select(webhook_endpoints).where(webhook_endpoints.c.removed_at.is_(None))


def _change(connection: Connection, endpoint: EndpointId, values: dict[str, Any]) -> None:
    connection.execute(
        update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint).values(values)
    )


def _keep_new_secret(
    connection: Connection, settings: Settings, endpoint: EndpointId, now: datetime
) -> str:
    secret = new_secret()
    sealed = KeptSecrets(settings.keys_folder).seal(secret.encode(), _bound_to(endpoint))
    connection.execute(
        insert(webhook_secrets).values(endpoint_id=endpoint, sealed=sealed, made_at=now)
    )
    return secret


def _bound_to(endpoint: EndpointId) -> str:
    return f"webhook:{endpoint}"


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidInputError("a webhook needs a name of 1 to 100 printable characters")
    return name


def _checked_events(events: Iterable[EventKind]) -> str:
    chosen: Sequence[EventKind] = sorted(set(events))
    if not chosen or not set(chosen) <= set(CHOOSABLE):
        raise InvalidInputError(
            "a webhook needs at least one event of these: {events}", events=", ".join(CHOOSABLE)
        )
    return " ".join(chosen)


def _endpoint(row: RowMapping, old_secret_until: datetime | None) -> Endpoint:
    return Endpoint(
        id=EndpointId(row["id"]),
        name=row["name"],
        url=row["url"],
        events=frozenset(EventKind(kind) for kind in row["events"].split()),
        is_on=row["is_on"],
        created_at=row["created_at"],
        failing_since=row["failing_since"],
        rest_until=row["rest_until"],
        alerted_at=row["alerted_at"],
        old_secret_until=old_secret_until,
    )
