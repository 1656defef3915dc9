"""Both blob stores keep the same promises: a blob is whole or absent, and never changes."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import amazon
from tutela.errors import SettingsError, StorageError
from tutela.storage.blobs.bucket import BlobBucket
from tutela.storage.blobs.folder import BlobFolder
from tutela.storage.blobs.model import BlobMissingError, BlobStore, new_blob_id
from tutela.storage.blobs.opening import open_blobs
from tutela.storage.settings import Settings

SMALL = [b"some ", b"", b"bytes"]


@pytest.fixture(params=["folder", "bucket", "locked bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "folder":
        return BlobFolder(tmp_path / "blobs")
    endpoint = request.getfixturevalue("amazon_endpoint")
    bucket = amazon.new_bucket(endpoint, locked=request.param == "locked bucket")
    return BlobBucket(bucket, "a/prefix", endpoint)


def large() -> Iterator[bytes]:
    for number in range(20):
        yield bytes([number]) * (1 << 20)


def test_what_is_written_is_read(store: BlobStore) -> None:
    small, big, empty = new_blob_id(), new_blob_id(), new_blob_id()
    store.write(small, SMALL)
    store.write(big, large())
    store.write(empty, [])
    assert b"".join(store.read(small)) == b"some bytes"
    assert b"".join(store.read(big)) == b"".join(large())
    assert b"".join(store.read(empty)) == b""
    found = {each.id: each for each in store.list()}
    assert {each.id: each.size for each in found.values()} == {small: 10, big: 20 << 20, empty: 0}
    assert store.find(small) == found[small]
    assert abs(found[small].written_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_what_was_removed_is_gone_and_removing_it_again_is_no_error(store: BlobStore) -> None:
    blob, other = new_blob_id(), new_blob_id()
    store.write(blob, SMALL)
    store.write(other, SMALL)
    store.delete(blob)
    store.delete(blob)
    assert store.find(blob) is None
    assert [each.id for each in store.list()] == [other]
    with pytest.raises(BlobMissingError, match=blob):
        store.read(blob)


@pytest.mark.parametrize("pieces", [1, 19])
def test_what_breaks_off_is_never_seen(store: BlobStore, pieces: int) -> None:
    def breaking_off() -> Iterator[bytes]:
        for number, piece in enumerate(large()):
            if number == pieces:
                raise ZeroDivisionError
            yield piece

    blob = new_blob_id()
    with pytest.raises(ZeroDivisionError):
        store.write(blob, breaking_off())
    assert store.find(blob) is None
    assert list(store.list()) == []
    assert store.clear_away(datetime.now(UTC) + timedelta(days=1)) == 0


def test_what_a_killed_writer_left_is_cleared_away_later(tmp_path: Path) -> None:
    store = BlobFolder(tmp_path / "blobs")
    store.write(new_blob_id(), SMALL)
    left = tmp_path / "blobs" / "incoming" / new_blob_id()
    left.write_bytes(b"half a bl")
    assert len(list(store.list())) == 1
    assert store.clear_away(datetime.now(UTC) - timedelta(days=1)) == 0
    assert left.exists()
    assert store.clear_away(datetime.now(UTC) + timedelta(seconds=1)) == 1
    assert not left.exists()


def test_an_upload_cut_short_is_cleared_away_later(amazon_endpoint: str) -> None:
    bucket = amazon.new_bucket(amazon_endpoint)
    store = BlobBucket(bucket, "ours", amazon_endpoint)
    s3 = amazon.client("s3", amazon_endpoint)
    for key in ("ours/x", "theirs/x"):
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    # This server says of every upload that it began in November 2010.
    assert store.clear_away(datetime(2010, 10, 1, tzinfo=UTC)) == 0
    assert store.clear_away(datetime(2010, 12, 1, tzinfo=UTC)) == 1
    (left,) = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert left["Key"] == "theirs/x"


def test_a_bucket_with_object_lock_keeps_what_is_retained_until_then(amazon_endpoint: str) -> None:
    bucket = amazon.new_bucket(amazon_endpoint, locked=True)
    store = BlobBucket(bucket, "", amazon_endpoint)
    blob = new_blob_id()
    store.write(blob, SMALL)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=90)
    store.retain(blob, until)
    s3 = amazon.client("s3", amazon_endpoint)
    said = s3.head_object(Bucket=bucket, Key=blob)
    assert (said["ObjectLockMode"], said["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", until)
    with pytest.raises(StorageError, match="Object Lock keeps it"):
        store.delete(blob)
    assert b"".join(store.read(blob)) == b"some bytes"
    store.retain(blob, until + timedelta(days=1))
    store.delete(blob, early=True)
    assert store.find(blob) is None


def test_a_bucket_with_object_lock_keeps_what_is_held(amazon_endpoint: str) -> None:
    store = BlobBucket(amazon.new_bucket(amazon_endpoint, locked=True), "", amazon_endpoint)
    blob = new_blob_id()
    store.write(blob, SMALL)
    store.hold(blob, held=True)
    with pytest.raises(StorageError, match="Object Lock keeps it"):
        store.delete(blob, early=True)
    store.hold(blob, held=False)
    store.delete(blob)
    assert store.find(blob) is None


def test_removing_leaves_no_older_version_and_no_marker(amazon_endpoint: str) -> None:
    bucket = amazon.new_bucket(amazon_endpoint, locked=True)
    store = BlobBucket(bucket, "", amazon_endpoint)
    blob = new_blob_id()
    store.write(blob, SMALL)
    store.write(blob, SMALL)
    s3 = amazon.client("s3", amazon_endpoint)
    s3.delete_object(Bucket=bucket, Key=blob)
    store.delete(blob)
    left = s3.list_object_versions(Bucket=bucket)
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")


def test_retaining_and_holding_are_no_errors_where_nothing_can_be_locked(store: BlobStore) -> None:
    blob = new_blob_id()
    store.write(blob, SMALL)
    store.retain(blob, datetime.now(UTC) + timedelta(days=1))
    store.hold(blob, held=True)
    assert b"".join(store.read(blob)) == b"some bytes"


def test_a_store_that_works_says_so(store: BlobStore) -> None:
    assert store.check().startswith("blobs in ")
    assert list(store.list()) == []


def test_a_bucket_that_does_not_answer_is_said(amazon_endpoint: str) -> None:
    for store in (
        BlobBucket("absent-bucket", "", amazon_endpoint),
        BlobBucket("bucket", "", "http://127.0.0.1:1"),
    ):
        for use in (
            store.check,
            lambda store=store: store.write(new_blob_id(), SMALL),
            lambda store=store: list(store.list()),
        ):
            with pytest.raises(StorageError, match="check blob_url"):
                use()


def test_a_bucket_without_credentials_is_said(
    amazon_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StorageError, match="there are no credentials"):
        BlobBucket("bucket", "", amazon_endpoint)


def test_the_settings_choose_the_store(tmp_path: Path, amazon_endpoint: str) -> None:
    assert isinstance(open_blobs(Settings(data=tmp_path)), BlobFolder)
    bucket = amazon.new_bucket(amazon_endpoint)
    url = f"s3://{bucket}/some/prefix/"
    store = open_blobs(Settings(data=tmp_path, blob_url=url, s3_endpoint=amazon_endpoint))
    blob = new_blob_id()
    store.write(blob, SMALL)
    (kept,) = amazon.client("s3", amazon_endpoint).list_objects_v2(Bucket=bucket)["Contents"]
    assert kept["Key"] == f"some/prefix/{blob}"
    for wrong in ("gs://bucket", "s3:", "/a/folder"):
        with pytest.raises(SettingsError, match="s3://bucket/prefix"):
            open_blobs(Settings(data=tmp_path, blob_url=wrong))


def test_files_are_for_their_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        BlobFolder(tmp_path / "blobs").write(new_blob_id(), SMALL)
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "blobs").rglob("*")}
    assert modes == {0o700, 0o600}


def test_two_may_write_the_same_blob_at_once_even_where_one_was_killed_before(
    tmp_path: Path,
) -> None:
    store, blob = BlobFolder(tmp_path / "blobs"), new_blob_id()
    store.write(new_blob_id(), SMALL)
    incoming = tmp_path / "blobs" / "incoming"
    (incoming / blob).write_bytes(b"half")

    def chunks() -> Iterator[bytes]:
        yield b"some "
        store.write(blob, SMALL)
        yield b"bytes"

    store.write(blob, chunks())
    assert b"".join(store.read(blob)) == b"some bytes"
    assert [path.name for path in incoming.iterdir()] == [blob]
    assert store.clear_away(datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert not list(incoming.iterdir())
