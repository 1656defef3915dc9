"""Blobs in a bucket of S3, or of a server that speaks as it does.

Blobs are streamed by obstore. What only Amazon's own library can do is done by that: Object Lock,
versions, and unfinished uploads. Where the bucket keeps versions, removing a blob removes each of
them: a delete marker alone would leave the bytes there.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from typing import Any

import obstore
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tutela.errors import StorageError
from tutela.storage.amazon import SECONDS_TO_ANSWER, SECONDS_TO_CONNECT, load_boto3
from tutela.storage.blobs.model import CHUNK, BlobId, BlobInfo, BlobMissingError

# S3 takes at most 10,000 parts, so that a blob may have 78 GiB.
_PART = 8 << 20
_PARTS_AT_ONCE = 4


class BlobBucket:
    """A ``BlobStore`` in a bucket.

    Args:
        bucket: Its name.
        prefix: What the blobs' names begin with there; may be empty.
        endpoint: The server, if it is not Amazon's own for the region.

    Raises:
        SettingsError: The extra ``aws`` is not installed.
        StorageError: There is no region, or no credentials can be had.
    """

    def __init__(self, bucket: str, prefix: str, endpoint: str | None) -> None:
        boto3 = load_boto3("blob_url: s3")
        from botocore.config import Config  # noqa: PLC0415 - comes with boto3
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        # obstore says FileNotFoundError where even the bucket is missing.
        self._failures = (BotoCoreError, ClientError, BaseError, OSError)
        with self._failures_named("used"):
            session = boto3.session.Session()
            self._client: Any = session.client(
                "s3",
                endpoint_url=endpoint,
                config=Config(
                    connect_timeout=SECONDS_TO_CONNECT,
                    read_timeout=SECONDS_TO_ANSWER,
                    retries={"mode": "standard", "total_max_attempts": 3},
                ),
            )
            try:
                credentials = Boto3CredentialProvider(session)
            except ValueError as error:
                raise StorageError(
                    f"the bucket {bucket} cannot be used: there are no credentials for it; set "
                    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role"
                ) from error
            self._store = S3Store(
                bucket,
                prefix=prefix or None,
                region=self._client.meta.region_name,
                endpoint=endpoint,
                virtual_hosted_style_request=endpoint is None,
                client_options={
                    "allow_http": bool(endpoint and endpoint.startswith("http://")),
                    "connect_timeout": f"{SECONDS_TO_CONNECT}s",
                    "timeout": f"{10 * SECONDS_TO_ANSWER}s",
                },
                retry_config={"max_retries": 2},
                credential_provider=credentials,
            )
        self._locks: bool | None = None

    def write(self, blob: BlobId, chunks: Iterable[bytes]) -> None:
        """Keep a blob, as ``BlobStore`` has it."""
        pieces = iter(chunks)
        # What fits into one part is sent in one request, which is whole or refused.
        first, length = [], 0
        for piece in pieces:
            first.append(piece)
            length += len(piece)
            if length >= _PART:
                break
        with self._failures_named("written"):
            if length < _PART:
                obstore.put(self._store, blob, b"".join(first), use_multipart=False)
            else:
                self._write_parts(blob, chain(first, pieces))

    def read(self, blob: BlobId) -> Iterator[bytes]:
        """A blob's bytes, as ``BlobStore`` has it."""
        with self._failures_named("read"):
            try:
                found = obstore.get(self._store, blob)
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                raise BlobMissingError(
                    f"there is no blob {blob} in the bucket {self._bucket}"
                ) from None
        return self._pieces(found)

    def delete(self, blob: BlobId, *, early: bool = False) -> None:
        """Remove a blob and its versions, as ``BlobStore`` has it."""
        bypass = {"BypassGovernanceRetention": True} if early else {}
        key = self._prefix + blob
        with self._failures_named("cleared of a blob"):
            for version in tuple(self._versions(key)):
                try:
                    self._client.delete_object(
                        Bucket=self._bucket, Key=key, VersionId=version, **bypass
                    )
                except self._failures as error:
                    if _code(error) != "AccessDenied":
                        raise
                    raise StorageError(
                        f"the bucket {self._bucket} does not let the blob {blob} be removed: its "
                        "Object Lock keeps it, or s3:DeleteObjectVersion is not permitted"
                    ) from error

    def find(self, blob: BlobId) -> BlobInfo | None:
        """What there is of a blob, or ``None`` if there is none."""
        with self._failures_named("read"):
            try:
                return _info(obstore.head(self._store, blob))
            except FileNotFoundError:
                return None

    def list(self) -> Iterator[BlobInfo]:
        """Every blob there is."""
        with self._failures_named("listed"):
            for several in obstore.list(self._store):
                yield from map(_info, several)

    def retain(self, blob: BlobId, until: datetime) -> None:
        """Set Object Lock's retention in GOVERNANCE mode, where the bucket has Object Lock."""
        if self._has_locks():
            with self._failures_named("locked"):
                self._client.put_object_retention(
                    Bucket=self._bucket,
                    Key=self._prefix + blob,
                    Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until},
                    # A preservation may also become shorter, such as by an order to destroy.
                    BypassGovernanceRetention=True,
                )

    def hold(self, blob: BlobId, *, held: bool) -> None:
        """Set or release Object Lock's legal hold, where the bucket has Object Lock."""
        if self._has_locks():
            with self._failures_named("locked"):
                self._client.put_object_legal_hold(
                    Bucket=self._bucket,
                    Key=self._prefix + blob,
                    LegalHold={"Status": "ON" if held else "OFF"},
                )

    def clear_away(self, before: datetime) -> int:
        """Abort the uploads that killed writers left unfinished."""
        removed = 0
        with self._failures_named("cleared"):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            for page in pages:
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] < before:
                        self._client.abort_multipart_upload(
                            Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        removed += 1
        return removed

    def check(self) -> str:
        """Whether the bucket answers."""
        with self._failures_named("reached"):
            self._client.head_bucket(Bucket=self._bucket)
        return "blobs in S3"

    def _write_parts(self, blob: BlobId, pieces: Iterable[bytes]) -> None:
        # What an iterator raises comes out of obstore, but not always as it went in.
        source = _Source(pieces)
        try:
            obstore.put(
                self._store,
                blob,
                source,
                use_multipart=True,
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_ONCE,
            )
        except Exception:
            if source.failure is not None:
                raise source.failure from None
            raise

    def _versions(self, key: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=key
        )
        for page in pages:
            for kind in ("Versions", "DeleteMarkers"):
                for version in page.get(kind, ()):
                    if version["Key"] == key:
                        yield version["VersionId"]

    def _has_locks(self) -> bool:
        if self._locks is None:
            with self._failures_named("asked for its locks"):
                try:
                    answer = self._client.get_object_lock_configuration(Bucket=self._bucket)
                    configuration = answer.get("ObjectLockConfiguration", {})
                    self._locks = configuration.get("ObjectLockEnabled") == "Enabled"
                except self._failures as error:
                    if _code(error) != "ObjectLockConfigurationNotFoundError":
                        raise
                    self._locks = False
        return self._locks

    def _pieces(self, found: "obstore.GetResult") -> Iterator[bytes]:
        with self._failures_named("read"):
            for piece in found.stream(min_chunk_size=CHUNK):
                yield bytes(piece)

    @contextmanager
    def _failures_named(self, what: str) -> Iterator[None]:
        try:
            yield
        except self._failures as error:
            detail = _code(error) or str(error).split("\n", 1)[0]
            raise StorageError(
                f"the bucket {self._bucket} cannot be {what} ({detail}): check blob_url, the "
                "network, the credentials and their permissions; nothing already in it is lost"
            ) from error


class _Source:
    """An iterator that remembers what it raised."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.failure: BaseException | None = None

    def __iter__(self) -> "_Source":
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except StopIteration:
            raise
        except BaseException as error:
            self.failure = error
            raise


def _info(meta: "obstore.ObjectMeta") -> BlobInfo:
    name = meta["path"].rpartition("/")[2]
    return BlobInfo(BlobId(name), meta["size"], meta["last_modified"])


def _code(error: Exception) -> str:
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
