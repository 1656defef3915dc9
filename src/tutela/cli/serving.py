"""``tutela serve``: run the service."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
import uvicorn
from uvicorn.supervisors import Multiprocess

from tutela.accounts.invitations import FIRST_VALIDITY, Invited, invite_first
from tutela.accounts.permissions import Permission
from tutela.accounts.single_sign_on import check_sign_on
from tutela.cli.acting import needs
from tutela.cli.opening import (
    DataFolder,
    open_house,
    prepare_vault,
    see_seal,
    warn,
    warn_of_absent_lists,
)
from tutela.cli.output import to_people
from tutela.errors import InvalidInputError, StorageError
from tutela.storage.clock import system_clock
from tutela.storage.settings import ENVIRONMENT_PREFIX

_APPLICATION = "tutela.server_process:create"


@needs(Permission.HOUSE_KEEP)
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Server processes, each with its own cells.")
    ] = None,
    data: DataFolder = None,
) -> None:
    """Run the service until Ctrl-C."""
    # The service signs the ledger in a thread of its own: a place that hangs must not keep it from
    # starting.
    with open_house(data, covered=False, host=host, port=port, workers=workers) as (
        settings,
        database,
    ):
        check_sign_on(settings.single_sign_on)
        see_seal(settings)
        try:
            prepare_vault(settings, database)
        except StorageError as error:
            # What is clear is answered all the same, and what matches with 503.
            warn(error.message)
        warn_of_absent_lists(settings, database)
        with database.writing() as connection:
            first = invite_first(connection, system_clock)
    # The server processes read their settings for themselves.
    os.environ[f"{ENVIRONMENT_PREFIX}DATA"] = str(settings.data.absolute())
    listening = _listen(settings.host, settings.port)
    address = f"http://{_shown(settings.host)}:{listening.getsockname()[1]}"
    to_people.print(f"Tutela is at [bold]{address}[/]  (Ctrl-C stops it)")
    if first:
        # By its name, since a passkey cannot be bound to a number.
        named = address.replace("//127.0.0.1:", "//localhost:")
        _invite(settings.console.address or named, first)
    config = uvicorn.Config(
        _APPLICATION,
        factory=True,
        http="httptools",
        loop="uvloop",
        ws="none",
        workers=settings.workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        # A process that answers nothing for so long is replaced. On a busy machine it may take as
        # long to load: were it replaced meanwhile, the service would never start.
        timeout_worker_healthcheck=60,
    )
    try:
        if settings.workers == 1:
            uvicorn.Server(config).run(sockets=[listening])
        else:
            with _shared_metrics():
                Multiprocess(config, sockets=[listening]).run()
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()
    to_people.print("Tutela has stopped.")


def _invite(address: str, first: Invited) -> None:
    """Show the one link by which somebody becomes the first administrator."""
    hours = round(FIRST_VALIDITY.total_seconds() / 3600)
    to_people.print("\nNobody works here yet. Whoever opens this first is the administrator:\n")
    to_people.print(f"  {address.rstrip('/')}{first.path}\n", soft_wrap=True, markup=False)
    to_people.print(
        f"It works once, for {hours} hours, and until the next start, which shows another.\n",
        style="dim",
    )


def _listen(host: str, port: int) -> socket.socket:
    # Done here and not by the server, so that a port in use is one clear line.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, asyncio knows that answers are not to wait for more to send.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, UnicodeError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) else "it is not an address"
        raise InvalidInputError(
            f"cannot listen on {host} port {port}: {reason}; choose others with --host and --port"
        ) from None
    listening.set_inheritable(True)
    return listening


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """A folder in which the server processes of this service add their measurements up."""
    with tempfile.TemporaryDirectory(prefix="tutela-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield
