"""A time-stamping authority's word on a checkpoint is asked for, kept, and checked."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.ledger.filling import fill
from tests.ledger.timestamp_authority import Authority, running_authority
from tests.waiting import comes_true
from tutela.errors import SettingsError, StorageError
from tutela.ledger.checking import Trouble
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.places.choosing import second_place
from tutela.ledger.timestamping import StampVerifier, ask_for_timestamp, stamped_at
from tutela.ledger.verifying import verify
from tutela.storage.clock import system_clock
from tutela.storage.jobs.tending import kept_jobs
from tutela.work import make_worker


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with running_authority(tmp_path_factory.mktemp("authority")) as running:
        yield running


def test_an_answer_is_about_what_was_asked_and_openssl_says_the_same(
    authority: Authority, tmp_path
) -> None:
    answer = ask_for_timestamp(authority.url, b"a checkpoint")
    stamps = StampVerifier.read(authority.root)
    assert stamps.what_is_wrong(answer, b"a checkpoint") is None
    assert stamps.what_is_wrong(answer, b"another one") is not None
    assert stamps.what_is_wrong(b"no answer", b"a checkpoint") is not None
    changed = answer[:-5] + bytes([answer[-5] ^ 1]) + answer[-4:]
    assert stamps.what_is_wrong(changed, b"a checkpoint") is not None
    assert abs((system_clock() - stamped_at(answer)).total_seconds()) < 60
    (tmp_path / "answer").write_bytes(answer)
    (tmp_path / "data").write_bytes(b"a checkpoint")
    subprocess.run(
        ["openssl", "ts", "-verify", "-data", "data", "-in", "answer", "-CAfile", authority.root],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )


def test_each_checkpoint_is_timestamped_by_a_job(database, settings, authority) -> None:
    settings = settings.model_copy(
        update={
            "ledger_timestamp_url": authority.url,
            "ledger_timestamp_certificates": authority.root,
        }
    )
    checkpoints = Checkpoints(database, settings, system_clock)
    for size in (3, 6):
        fill(database, system_clock, 3, first=size - 3)
        checkpoints.make()
    place = second_place(settings)
    told: list[object] = []
    with make_worker(settings, database, system_clock, lambda *what: told.append(what)):
        assert comes_true(lambda: len(place.names()) == 4)
    assert told == []
    with database.reading() as connection:
        assert kept_jobs(connection, state=None, kind=None, limit=10) == []
    stamps = StampVerifier.read(authority.root)
    verifier = checkpoints.verifier()
    verified = verify(database, settings, place, verifier, stamps=stamps)
    assert (verified.findings, verified.timestamps) == ([], 2)
    first, second = (name for name in place.names() if name.endswith(".tsr"))
    place.write(first, place.read(second))
    (finding,) = verify(database, settings, place, verifier, stamps=stamps).findings
    assert finding.trouble is Trouble.TIMESTAMP
    assert first in finding.what


def test_an_authority_that_does_not_answer_is_asked_again(settings, authority) -> None:
    with pytest.raises(StorageError, match="does not answer"):
        ask_for_timestamp("http://127.0.0.1:9/", b"a checkpoint")
    with pytest.raises(SettingsError, match="https://"):
        ask_for_timestamp("file:///etc/passwd", b"a checkpoint")
    with pytest.raises(SettingsError, match="ledger_timestamp_certificates"):
        StampVerifier.read(settings.data / "none.pem")
