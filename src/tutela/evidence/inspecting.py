"""Looking at a blob that is there already, before another item's evidence relies on it."""

import hashlib

from tutela.evidence.encrypting import AlteredError, decrypted
from tutela.storage.blobs.model import BlobId, BlobMissingError, BlobStore

READ_UP_TO = 4 << 20
"""Contents of so many bytes are read and compared; of larger ones, the blob's length is."""

# Of the format that is chosen in encrypting.py:
# https://developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming
_SEGMENT = 1 << 20
_HEADER = 1 + 32 + 7
_TAG = 16


def is_whole(store: BlobStore, blob: BlobId, data_key: bytes, sha256: bytes, size: int) -> bool:
    """Whether a blob is there and, as far as can be told quickly, as it was sealed.

    Args:
        store: Has the blob.
        blob: Its name.
        data_key: What it is encrypted with.
        sha256: Of the content.
        size: Of the content, in bytes.

    Raises:
        StorageError: The store cannot be read.
        WrongKeyError: The data key is not one.
    """
    if size > READ_UP_TO:
        found = store.find(blob)
        return found is not None and found.size == encrypted_size(size)
    digest = hashlib.sha256()
    try:
        for piece in decrypted(store.read(blob), data_key, blob.encode()):
            digest.update(piece)
    except (AlteredError, BlobMissingError):
        return False
    return digest.digest() == sha256


def encrypted_size(size: int) -> int:
    """How many bytes a content of so many bytes has once it is encrypted."""
    # The header takes its room from the first segment, and an empty content has a segment too.
    segments = max(1, -(-(_HEADER + size) // (_SEGMENT - _TAG)))
    return _HEADER + size + segments * _TAG
