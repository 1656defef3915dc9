"""``tutela webhook``: who is told what people decide, and how the telling went."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, local_actor, open_house
from tutela.cli.output import print_json, print_line, print_table, to_people
from tutela.storage.clock import system_clock
from tutela.webhooks.endpoints import (
    Added,
    add_endpoint,
    all_endpoints,
    change_endpoint,
    remove_endpoint,
    rotate_secret,
)
from tutela.webhooks.log import deliveries
from tutela.webhooks.model import (
    CHOOSABLE,
    Delivery,
    DeliveryId,
    DeliveryState,
    Endpoint,
    EndpointId,
    EventKind,
)
from tutela.webhooks.sending import send_again, send_test

app = typer.Typer(
    help="Tell your platform what people decide, and see whether it has heard it.",
    no_args_is_help=True,
)

_EVENTS = "Events:\n\n" + "\n".join(f"- {kind}: {kind.meaning}" for kind in CHOOSABLE)

Number = Annotated[int, typer.Argument(metavar="ID", help="The webhook's number.", min=1)]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why, for the ledger.", show_default=False)
]
Events = Annotated[
    list[EventKind] | None,
    typer.Option(
        "--event",
        metavar="EVENT",
        help="What it is told of; may be given repeatedly. All, if none is given.",
        show_default=False,
    ),
]


@app.command("ls")
@needs(Permission.WEBHOOKS_READ)
def list_webhooks(json: JsonLines = False, data: DataFolder = None) -> None:
    """List the webhooks."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = all_endpoints(connection, system_clock)
    if json:
        for endpoint in found:
            print_json(endpoint.as_fields())
        return
    if not found:
        to_people.print("No webhooks. Add one: tutela webhook add NAME URL")
        return
    table = Table("webhook", "name", "url", "is told of", "stands")
    for endpoint in found:
        table.add_row(
            str(endpoint.id),
            escape(endpoint.name),
            escape(endpoint.url),
            ", ".join(sorted(endpoint.events)),
            _stands(endpoint),
        )
    print_table(table)


@app.command("add", epilog=_EVENTS)
@needs(Permission.WEBHOOKS_WRITE)
def add_webhook(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it.")],
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Where it is, such as https://forum.example/hook.")
    ],
    event: Events = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Have one more receiver told. Its secret is shown once."""
    with open_house(data) as (settings, database), database.writing() as connection:
        added = add_endpoint(
            connection,
            settings,
            local_actor(),
            system_clock,
            name=name,
            url=url,
            events=event or CHOOSABLE,
        )
    _show_secret(added, json)


@app.command("rotate")
@needs(Permission.WEBHOOKS_WRITE)
def rotate(webhook: Number, json: JsonLines = False, data: DataFolder = None) -> None:
    """Give a webhook a new secret, shown once. The old one signs as well for a while."""
    with open_house(data) as (settings, database), database.writing() as connection:
        rotated = rotate_secret(
            connection, settings, EndpointId(webhook), local_actor(), system_clock
        )
    _show_secret(rotated, json)


@app.command("on")
@needs(Permission.WEBHOOKS_WRITE)
def switch_on(webhook: Number, json: JsonLines = False, data: DataFolder = None) -> None:
    """Tell a webhook again."""
    _switch(webhook, True, json, data)


@app.command("off")
@needs(Permission.WEBHOOKS_WRITE)
def switch_off(webhook: Number, json: JsonLines = False, data: DataFolder = None) -> None:
    """Tell a webhook nothing. What happens meanwhile is not sent later."""
    _switch(webhook, False, json, data)


@app.command("rm")
@needs(Permission.WEBHOOKS_WRITE)
def remove_webhook(
    webhook: Number, reason: Reason = "", json: JsonLines = False, data: DataFolder = None
) -> None:
    """Remove a webhook. It is told nothing more, not even what waits."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        remove_endpoint(connection, EndpointId(webhook), local_actor(), system_clock, reason=reason)
    if json:
        print_json({"id": webhook, "removed": True})
    else:
        to_people.print(f"Webhook {webhook} is removed.")


@app.command("test")
@needs(Permission.WEBHOOKS_WRITE)
def test_webhook(webhook: Number, json: JsonLines = False, data: DataFolder = None) -> None:
    """Send a message that says that it is a test. A worker sends it at once, and once."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        delivery = send_test(connection, EndpointId(webhook), local_actor(), system_clock)
    if json:
        print_json({"delivery": delivery})
        return
    print_line(str(delivery))
    to_people.print('The service sends it now: "tutela webhook log" shows what was answered.')


@app.command("log")
@needs(Permission.WEBHOOKS_READ)
def show_log(
    webhook: Annotated[
        int | None, typer.Option(min=1, help="Only deliveries to this webhook.")
    ] = None,
    state: Annotated[DeliveryState | None, typer.Option(help="Only those that stand so.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the newest first.")] = 50,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List what was told, how often it was tried, and what was answered."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = deliveries(
            connection,
            endpoint=EndpointId(webhook) if webhook else None,
            state=state,
            limit=limit,
        )
    if json:
        for delivery in found:
            print_json(delivery.as_fields())
        return
    if not found:
        to_people.print("Nothing was told yet.")
        return
    table = Table("delivery", "webhook", "event", "case", "happened", "stands", "last answer")
    for delivery in found:
        table.add_row(
            str(delivery.id),
            str(delivery.endpoint),
            delivery.kind,
            delivery.case or "-",
            f"{delivery.happened_at:%Y-%m-%d %H:%M:%S}",
            delivery.state,
            _last_answer(delivery),
        )
    print_table(table)


@app.command("retry")
@needs(Permission.WEBHOOKS_WRITE)
def retry_delivery(
    delivery: Annotated[
        int, typer.Argument(metavar="DELIVERY", help="The delivery's number.", min=1)
    ],
    reason: Reason = "",
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Send something again, at once and under the same id."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        send_again(connection, DeliveryId(delivery), local_actor(), system_clock, reason=reason)
    if json:
        print_json({"delivery": delivery, "retried": True})
    else:
        to_people.print(f"Delivery {delivery} is sent again right away.")


def _switch(webhook: int, is_on: bool, json: bool, data: DataFolder) -> None:
    with open_house(data) as (settings, database), database.writing() as connection:
        changed = change_endpoint(
            connection, settings, EndpointId(webhook), local_actor(), system_clock, is_on=is_on
        )
    if json:
        print_json(changed.as_fields())
    else:
        to_people.print(f"Webhook {webhook} is {'on' if is_on else 'off'}.")


def _show_secret(added: Added, json: bool) -> None:
    if json:
        print_json(added.as_fields())
        return
    to_people.print(
        f"Webhook {added.endpoint.id}. Its secret, which is shown this once: give it to the "
        "receiver, which checks signatures with it."
    )
    print_line(added.secret)


def _stands(endpoint: Endpoint) -> str:
    if not endpoint.is_on:
        return "off"
    if endpoint.failing_since is not None:
        return f"has not answered well since {endpoint.failing_since:%Y-%m-%d %H:%M}"
    return "on"


def _last_answer(delivery: Delivery) -> str:
    if not delivery.attempts:
        return "-"
    last = delivery.attempts[0]
    words = last.failure or f"{last.status} in {last.milliseconds} ms"
    return escape(f"{words}: {last.answer}" if last.answer else words)
