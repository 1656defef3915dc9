"""The peer: what one would write around Pillow, pdqhash, faiss and hashlib to scan a folder.

``python -m benchmarks.peer FOLDER KNOWN LIST`` prints what ``tutela scan --json FOLDER`` does, in
the same order. It is no straw man: the index and the digests are made beforehand and read once by
each worker, each file is read once, no library starts threads that get in the others' way, and a
worker takes the next file as soon as it is free.
"""

import hashlib
import io
import json
import os
import pickle
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pdqhash
from PIL import Image

INDEX_FILE = "pdq.faiss"
DIGESTS_FILE = "digests.pickle"
WORKERS = 2

_MAX_DISTANCE = 31
_MIN_QUALITY = 50


class _Worker:
    """What each worker process holds."""

    index: Any
    digests: dict[bytes, str]
    hash_list: str


def main(arguments: list[str]) -> None:
    folder, known, hash_list = arguments
    files = list(_files(folder))
    with ProcessPoolExecutor(WORKERS, initializer=_prepare, initargs=(known, hash_list)) as workers:
        for answer in workers.map(_screen, files):
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


def pdq_by_peer(content: bytes) -> tuple[bytes, int]:
    """The PDQ hash and quality of a picture file, as Meta's library computes them."""
    with Image.open(io.BytesIO(content)) as image:
        # Pillow copies what is RGB already when told to convert it.
        pixels = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    vector, quality = pdqhash.compute(pixels)
    return np.packbits(vector.astype(np.uint8)).tobytes(), quality


def _files(folder: str) -> Iterator[str]:
    """Every file of a folder, by name."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (os.path.join(place, name) for name in sorted(names))  # noqa: PTH118


def _prepare(known: str, hash_list: str) -> None:
    faiss.omp_set_num_threads(1)
    _Worker.index = faiss.read_index_binary(str(Path(known) / INDEX_FILE))
    _Worker.digests = pickle.loads((Path(known) / DIGESTS_FILE).read_bytes())
    _Worker.hash_list = hash_list


def _screen(path: str) -> dict[str, object]:
    content = Path(path).read_bytes()
    found = {
        _Worker.digests[digest]: 0
        for function in (hashlib.md5, hashlib.sha1, hashlib.sha256)
        if (digest := function(content).digest()) in _Worker.digests
    }
    value, quality = pdq_by_peer(content)
    if quality >= _MIN_QUALITY:
        query = np.frombuffer(value, np.uint8).reshape(1, 32)
        # faiss gives what is nearer than the radius.
        _, distances, _ = _Worker.index.range_search(query, _MAX_DISTANCE + 1)
        if len(distances):
            found["pdq"] = int(distances.min())
    answer: dict[str, object] = {"path": path, "verdict": "match" if found else "clear"}
    if found:
        answer["matches"] = [
            {"list": _Worker.hash_list, "kind": kind, "distance": distance}
            for kind, distance in found.items()
        ]
    return answer


if __name__ == "__main__":
    main(sys.argv[1:])
