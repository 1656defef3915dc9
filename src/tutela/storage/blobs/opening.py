"""Choosing the blob store by the settings."""

from urllib.parse import urlsplit

from tutela.errors import SettingsError
from tutela.storage.blobs.folder import BlobFolder
from tutela.storage.blobs.model import BlobStore
from tutela.storage.settings import Settings


def open_blobs(settings: Settings) -> BlobStore:
    """The store that holds the sealed evidence.

    Raises:
        SettingsError: ``blob_url`` cannot be understood, or needs the extra ``aws``.
    """
    if settings.blob_url is None:
        return BlobFolder(settings.data / "vault")
    url = urlsplit(settings.blob_url)
    if url.scheme != "s3" or not url.netloc:
        raise SettingsError(
            "blob_url: write it as s3://bucket/prefix "
            "(or leave it out for a folder in the data folder)"
        )
    # Not needed where nobody uses it, and slow to import.
    from tutela.storage.blobs.bucket import BlobBucket  # noqa: PLC0415

    return BlobBucket(url.netloc, url.path.strip("/"), settings.s3_endpoint)
