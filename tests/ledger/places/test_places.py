"""Checkpoints are written to a folder, a bucket and a mailbox, each by the real thing."""

import email
import email.policy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import amazon
from tests.ledger.filling import fill
from tests.ledger.mail_server import running_mail_server
from tutela.errors import SettingsError, StorageError
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.model import AlteredLedgerError
from tutela.ledger.places.choosing import second_place
from tutela.ledger.places.folder import FolderPlace
from tutela.ledger.places.model import Place
from tutela.ledger.verifying import verify
from tutela.storage.settings import Mail, MailSecurity, Settings, load_settings


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with amazon.running_server() as address:
        yield address


@pytest.fixture
def in_bucket(s3: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in amazon.CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    bucket = amazon.new_bucket(s3)
    return load_settings(
        data=data, ledger_checkpoints=f"s3://{bucket}/ledger", s3_endpoint=s3, cells=2
    )


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return FolderPlace(tmp_path / "deep" / "down")
    return second_place(request.getfixturevalue("in_bucket"))


def test_what_is_written_is_read_back_in_order(place: Place) -> None:
    assert place.names() == []
    assert place.read("a") is None
    for name in ("c", "a", "b"):
        place.write(name, name.encode())
    place.write("a", b"a")
    assert place.names() == ["a", "b", "c"]
    assert place.names("a") == ["b", "c"]
    assert place.names("c") == []
    assert place.read("b") == b"b"


def verified(settings, database, clock) -> list[object]:
    verifier = Checkpoints(database, settings, clock).verifier()
    return list(verify(database, settings, second_place(settings), verifier).findings)


def test_a_ledger_is_held_against_its_checkpoints_in_a_bucket(
    database, clock, in_bucket: Settings, data: Path
) -> None:
    settings = in_bucket
    checkpoints = Checkpoints(database, settings, clock)
    for size in range(10, 40, 10):
        fill(database, clock, 10, first=size - 10)
        assert checkpoints.make().checkpoint.size == size
    assert len(second_place(settings).names()) == 3
    assert verified(settings, database, clock) == []
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE ledger_head SET size = 0, frontier = ''")
    with pytest.raises(AlteredLedgerError, match="rolled back"):
        Checkpoints(database, settings, clock).make()


def test_a_bucket_that_is_not_there_is_said(in_bucket: Settings, s3: str) -> None:
    away = in_bucket.model_copy(update={"ledger_checkpoints": "s3://no-such-bucket/x"})
    with pytest.raises(StorageError, match="s3://no-such-bucket/x cannot be written"):
        second_place(away).write("a", b"a")


def mailing(settings: Settings, port: int, to: str = "auditor@example.org") -> Settings:
    return settings.model_copy(
        update={
            "ledger_checkpoints": f"mailto:{to}",
            "mail": Mail(server="127.0.0.1", port=port, security=MailSecurity.NONE),
        }
    )


def test_checkpoints_are_mailed_and_the_mail_can_be_verified_by(
    database, settings, clock, tmp_path: Path
) -> None:
    with running_mail_server() as server:
        settings = mailing(settings, server.port)
        checkpoints = Checkpoints(database, settings, clock)
        for size in (3, 6):
            fill(database, clock, 3, first=size - 3)
            assert checkpoints.make().checkpoint.size == size
        messages = [
            email.message_from_bytes(each, policy=email.policy.default) for each in server.received
        ]
    assert [message["To"] for message in messages] == ["auditor@example.org"] * 2
    mailbox = FolderPlace(tmp_path / "mailbox")
    for message in messages:
        (attached,) = message.iter_attachments()
        mailbox.write(attached.get_filename(), attached.get_content())
    found = verify(database, settings, mailbox, checkpoints.verifier())
    assert (found.findings, found.checkpoints, found.covered) == ([], 2, 6)


def test_what_could_not_be_mailed_is_mailed_later(database, settings, clock) -> None:
    with running_mail_server() as server:
        fill(database, clock, 3)
        refused = Checkpoints(database, mailing(settings, server.port, "nobody@x.org"), clock)
        with pytest.raises(StorageError, match="could not be mailed to nobody@x"):
            refused.keep_up()
        assert server.received == []
        port = server.port
        again = Checkpoints(database, mailing(settings, port), clock)
        assert again.keep_up().checkpoint.size == 3
        assert len(server.received) == 1
    fill(database, clock, 1, first=3)
    with pytest.raises(StorageError, match="could not be mailed"):
        again.make()


@pytest.mark.parametrize("where", ["ftp://x/y", "mailto:nobody", "s4:x"])
def test_a_place_that_cannot_be_understood_is_refused(where: str, data: Path) -> None:
    with pytest.raises(SettingsError, match="ledger_checkpoints"):
        second_place(load_settings(data=data, ledger_checkpoints=where))


@pytest.mark.parametrize("form", [str, lambda path: f"file:{path}", lambda path: f"file://{path}"])
def test_a_folder_may_be_named_in_each_form(
    form: Callable[[Path], str], data: Path, tmp_path: Path
) -> None:
    second_place(load_settings(data=data, ledger_checkpoints=form(tmp_path / "q"))).write("a", b"")
    assert (tmp_path / "q" / "a").exists()
