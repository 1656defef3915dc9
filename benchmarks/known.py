"""The list of known material: random hashes, and those of a few of the photos themselves."""

import hashlib
import pickle
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from benchmarks.peer import DIGESTS_FILE, INDEX_FILE, pdq_by_peer

_SEED = 20262
_OF_A_PHOTO = ("pdq", "md5", "sha1", "sha256", "pdq", "md5")


@dataclass(frozen=True, slots=True)
class KnownList:
    """The list in the forms that the two sides read.

    Attributes:
        csv: For ``tutela list import``.
        peer: Folder with the peer's faiss index and its digests.
        entries: How many hashes there are.
        of_photos: How many of them are those of a photo.
    """

    csv: Path
    peer: Path
    entries: int
    of_photos: int


def make_list(folder: Path, photos: Sequence[Path], each: int) -> KnownList:
    """Write a list of PDQ and MD5 hashes in both sides' forms.

    Args:
        folder: Where to put it.
        photos: A twentieth of them is known, by one of four kinds of hash; PDQ hashes are put on
            the list with up to 20 bits turned over, as those of a re-encoded copy would be.
        each: How many random PDQ hashes, and how many random MD5 hashes.
    """
    chance = random.Random(_SEED)
    hashes = {
        "pdq": [chance.randbytes(32) for _ in range(each)],
        "md5": [chance.randbytes(16) for _ in range(each)],
        "sha1": [],
        "sha256": [],
    }
    chosen = chance.sample(photos, len(photos) // 20)
    for number, photo in enumerate(chosen):
        kind = _OF_A_PHOTO[number % len(_OF_A_PHOTO)]
        hashes[kind].append(_hash_of(photo, kind, chance))
    csv = folder / "known.csv"
    csv.write_text(
        "kind,hash\n"
        + "".join(f"{kind},{value.hex()}\n" for kind, values in hashes.items() for value in values)
    )
    peer = folder / "peer"
    peer.mkdir()
    index = faiss.IndexBinaryFlat(256)
    index.add(np.frombuffer(b"".join(hashes["pdq"]), np.uint8).reshape(-1, 32))
    faiss.write_index_binary(index, str(peer / INDEX_FILE))
    digests = {value: kind for kind in ("md5", "sha1", "sha256") for value in hashes[kind]}
    (peer / DIGESTS_FILE).write_bytes(pickle.dumps(digests))
    return KnownList(csv, peer, sum(map(len, hashes.values())), len(chosen))


def _hash_of(photo: Path, kind: str, chance: random.Random) -> bytes:
    content = photo.read_bytes()
    if kind != "pdq":
        return hashlib.new(kind, content).digest()
    vector, _ = pdq_by_peer(content)
    number = int.from_bytes(vector)
    for bit in chance.sample(range(256), chance.randint(0, 20)):
        number ^= 1 << bit
    return number.to_bytes(32)
