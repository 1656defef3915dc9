"""A real PostgreSQL server for the tests, in a temporary folder, gone afterwards."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PORT = 54329


def find_server() -> Path | None:
    """The folder of the newest PostgreSQL server programs on this machine."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3])
    )
    return found[-1].parent if found else None


@contextlib.contextmanager
def running_server(programs: Path, *, durable: bool = False) -> Iterator[str]:
    """Start a server; gives the address of its maintenance database.

    Durability is off: tests ask what is right, not what survives a power cut. Where speed is
    measured it is on, as it is where the server is somebody's own.
    """
    folder = Path(tempfile.mkdtemp(prefix="tutela-postgresql-"))
    # Its socket is for everybody; the data below it is not.
    folder.chmod(0o755)
    as_user = _unprivileged(folder)
    data, log = folder / "data", folder / "log"
    options = f"-k {folder} -c listen_addresses='' -p {_PORT} -c max_connections=200"
    if not durable:
        options += " -c fsync=off"

    def run(*command: str | Path) -> None:
        done = subprocess.run(
            [*as_user, *command], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}{_tail(log)}")

    try:
        run(programs / "initdb", "-D", data, "-U", "tutela", "-A", "trust", "-E", "UTF8", "-N")
        run(programs / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql://tutela@/postgres?host={folder}&port={_PORT}"
        finally:
            run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> list[str]:
    # PostgreSQL refuses to run as root, as which containers often run tests.
    if os.geteuid() != 0:
        return []
    user = next((u for u in ("postgres", "nobody") if _exists(u)), "nobody")
    shutil.chown(folder, user)
    return ["setpriv", "--reuid", user, "--regid", str(pwd.getpwnam(user).pw_gid), "--clear-groups"]


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _tail(log: Path) -> str:
    try:
        return log.read_text()[-2000:]
    except OSError:
        return ""
