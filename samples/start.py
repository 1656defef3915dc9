"""What ``make run`` does: prepare a house with the sample list, and run it.

Beside it runs an authority that only plays one, so that a case can be taken all the way.
"""

import ctypes
import errno
import json
import os
import secrets
import select
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from tutela.errors import TutelaError
from tutela.reporting.cybertipline.server import Server, server_of
from tutela.storage.secret_files import make_secret
from tutela.storage.settings import Reporting, ReportsTo, Settings, load_settings, settings_file

HERE = Path(__file__).parent
TUTELA = str(Path(sys.executable).with_name("tutela"))
SETTINGS = HERE / "tutela.toml"
SANDBOX = "http://127.0.0.1:8471/ispws"
SANDBOX_FOLDER = "tutela-sandbox-authority"
LIST = "sample"
KEY = "first"
SCOPES = (
    "screen",
    "screen:details",
    "lists:read",
    "lists:write",
    "cases:read",
    "metrics:read",
)
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Prepare what is missing, say what to try, and run until Ctrl-C."""
    # Also where it was started in the background, by a shell that has Ctrl-C ignored there.
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)
    try:
        settings = chosen_settings()
        sandbox = sandbox_of(settings)
    except TutelaError as error:
        fail(error.message)
    refuse_taken_ports(settings, sandbox)
    running: list[subprocess.Popen[str]] = []
    try:
        add_samples()
        key = make_key() if KEY not in names("key") else None
        if sandbox is not None:
            running.append(start_sandbox(sandbox))
        say_what_to_try(settings, sandbox, key)
        running.append(started("serve"))
        # What ends by itself has said why; the other is of no use without it.
        sys.exit(first_to_end(running).returncode)
    except KeyboardInterrupt:
        pass
    finally:
        stop(running)


def chosen_settings() -> Settings:
    """The settings that are there; where nobody has chosen any, those of ``samples/tutela.toml``.

    Raises:
        SettingsError: They are wrong.
        StorageError: The password of the sandbox cannot be kept.
    """
    settings, file = load_settings(), settings_file()
    address = settings.reporting.cybertipline.address
    if not file.exists() and without_address(settings.reporting) == Reporting():
        text = SETTINGS.read_text(encoding="utf-8")
        file.write_text(text.replace(SANDBOX, address or free_sandbox()), encoding="utf-8")
        settings = load_settings()
    channel = settings.reporting.cybertipline
    if channel.environment is ReportsTo.SANDBOX and channel.password_file is not None:
        make_secret(channel.password_file, secrets.token_urlsafe().encode())
    return settings


def without_address(reporting: Reporting) -> Reporting:
    """The same with no sandbox, wherever it may be."""
    channel = reporting.cybertipline.model_copy(update={"address": None})
    return reporting.model_copy(update={"cybertipline": channel})


def free_sandbox() -> str:
    """Where the sandbox can be: at the usual port, or at a free one where that is taken."""
    parts = urlsplit(SANDBOX)
    assert parts.hostname and parts.port
    if is_free(parts.hostname, parts.port):
        return SANDBOX
    with socket.create_server((parts.hostname, 0)) as listening:
        return SANDBOX.replace(str(parts.port), str(listening.getsockname()[1]))


def sandbox_of(settings: Settings) -> Server | None:
    """The sandbox that is to run here; none if reports go elsewhere, or nowhere.

    Raises:
        SettingsError: The way to it is set up by half.
    """
    channel = settings.reporting.cybertipline
    if channel.environment is not ReportsTo.SANDBOX or channel.address is None:
        return None
    server = server_of(channel)
    return server if urlsplit(server.base).hostname == "127.0.0.1" else None


def refuse_taken_ports(settings: Settings, sandbox: Server | None) -> None:
    """End here, with words, where something else listens already."""
    if not is_free(settings.host, settings.port):
        fail(
            f"port {settings.port} is in use. Perhaps Tutela runs here already, in another "
            f'terminal? If not, put "port = {settings.port + 10}" at the top of {settings_file()}'
        )
    if sandbox is not None and not is_free("127.0.0.1", port_of(sandbox)):
        fail(
            f"port {port_of(sandbox)}, where the sandbox authority is to listen, is in use: stop "
            "what listens there, or choose another port in reporting.cybertipline.address in "
            f"{settings_file()}"
        )


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens there yet. What else is wrong, the service says better."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def add_samples() -> None:
    """Make the sample list, and fill it."""
    if LIST not in names("list"):
        tutela("list", "create", LIST, "--description", "Pictures drawn by samples/draw.py")
    if not json.loads(tutela("list", "show", LIST, "--json"))["entries"]:
        tutela(
            "list", "import", LIST, str(HERE / "known.csv"),
            "--source", "Tutela's own samples", "--reason", "to try Tutela out",
        )  # fmt: skip


def names(noun: str) -> set[str]:
    """The names that ``tutela NOUN ls`` knows."""
    return {json.loads(line)["name"] for line in tutela(noun, "ls", "--json").splitlines()}


def make_key() -> str:
    """A key that may do everything that a first try needs."""
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    return str(json.loads(tutela("key", "add", KEY, *scopes, "--json"))["key"])


def say_what_to_try(settings: Settings, sandbox: Server | None, key: str | None) -> None:
    """Print the key, and what to do with it."""
    command, folder = shown(TUTELA), os.path.relpath(HERE)
    if key:
        print(f"\nYour first API key, shown only now:\n\n  {key}\n")
    else:
        print(
            "\nYour API key was shown at the first start. To make another:\n\n"
            f"  {command} key add ANOTHER --scope screen\n"
        )
    authorization = shlex.quote(f"Authorization: Bearer {key or 'YOUR-KEY'}")
    print(
        "To try from a second terminal in this folder:\n\n"
        f"  {command} scan {folder}\n"
        f"  curl -H {authorization} \\\n"
        f"    -F file=@{folder}/known/dunes.jpg -F subject=example-user \\\n"
        f"    http://{settings.host}:{settings.port}/v1/screen\n"
    )
    if sandbox is None:
        print(
            "No sandbox authority runs beside it, since the settings lead elsewhere or nowhere;\n"
            f"{os.path.relpath(SETTINGS)} shows how one is set up.\n",
            flush=True,
        )
        return
    print(
        "Then take the CASE that was answered all the way. The sandbox only plays the authority,\n"
        "and nothing leaves this machine:\n\n"
        f"  {command} case take CASE\n"
        f"  {command} case decide CASE confirmed --basis digest\n"
        f"  {command} report draft CASE\n"
        f"  {command} report preview REPORT\n"
        f"  {command} report sign REPORT\n\n"
        f"What has arrived is shown at {sandbox.base.removesuffix('/ispws')}; the same by pages:\n"
        f"{os.path.relpath(HERE.parent / 'docs' / 'reporting-quickstart.md')}\n",
        flush=True,
    )


def start_sandbox(sandbox: Server) -> subprocess.Popen[str]:
    """Start the sandbox, and wait until it listens."""
    words = ["--port", str(port_of(sandbox)), "--folder", SANDBOX_FOLDER, "--json"]
    process = started(
        "sandbox-authority", *words, "--user", sandbox.user, "--password", sandbox.password,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    if not process.stdout.readline():
        # It has said why.
        sys.exit(process.wait())
    return process


def started(*words: str, stdout: int | None = None) -> subprocess.Popen[str]:
    """Start a command that ends when this process does, and not with the terminal's Ctrl-C."""

    def end_with_parent() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

    return subprocess.Popen(
        [TUTELA, *words],
        stdout=stdout,
        text=True,
        process_group=0,
        preexec_fn=end_with_parent,  # noqa: PLW1509 - no threads run here
    )


def first_to_end(running: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """Wait until one of them ends; gives that one."""
    handles = {os.pidfd_open(each.pid): each for each in running}
    ended, _, _ = select.select(list(handles), [], [])
    first = handles[ended[0]]
    first.wait()
    return first


def stop(running: list[subprocess.Popen[str]]) -> None:
    """Stop them one after the other, the service before what it reports to.

    Each has Ctrl-C once, however they were started; whoever presses it again is in a hurry.
    """
    for each in reversed(running):
        while each.poll() is None:
            each.send_signal(signal.SIGINT)
            try:
                each.wait()
            except KeyboardInterrupt:
                continue


def tutela(*arguments: str) -> str:
    """Run a command; where it fails, so does this, after its own words."""
    done = subprocess.run([TUTELA, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr, end="")
        sys.exit(done.returncode)
    return done.stdout


def fail(words: str) -> NoReturn:
    """Say what is wrong and end, as a command does."""
    print(f"error: {words}", file=sys.stderr)
    sys.exit(2)


def port_of(server: Server) -> int:
    """The port of a server's address."""
    return urlsplit(server.base).port or 80


def shown(program: str) -> str:
    """A program's path as one would type it here."""
    return os.path.relpath(program)


if __name__ == "__main__":
    main()
