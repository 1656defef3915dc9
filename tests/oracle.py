"""PDQ by the reference implementation, as Meta's Python library calls it."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.requirements import missing
from tutela.fingerprints.model import Pdq

try:
    import pdqhash
except ImportError:
    pdqhash = None


def reference_pdq(pixels: NDArray[np.uint8]) -> Pdq:
    """The PDQ hash of height x width x 3 or height x width pixels."""
    return _as_pdq(*_oracle().compute(_three_channels(pixels)))


def reference_dihedrals(pixels: NDArray[np.uint8]) -> tuple[Pdq, ...]:
    """The eight hashes of a picture turned and mirrored."""
    vectors, quality = _oracle().compute_dihedral(_three_channels(pixels))
    return tuple(_as_pdq(vector, quality) for vector in vectors)


def meta_pdq(file: bytes, *, force_rgb: bool) -> Pdq:
    """What Meta's library makes of a picture file.

    The same steps as ``threatexchange.signal_type.pdq.pdq_hasher.pdq_from_bytes``.
    """
    image = Image.open(io.BytesIO(file))
    if force_rgb or image.mode == "LA":
        image = image.convert("RGB")
    return reference_pdq(np.asarray(image))


def differing_bits(one: Pdq, other: Pdq) -> int:
    """The distance of two hashes."""
    return (int.from_bytes(one.value) ^ int.from_bytes(other.value)).bit_count()


def _oracle() -> Any:
    if pdqhash is None:
        missing("pdqhash", "with a C++ compiler, make test builds it")
    return pdqhash


def _three_channels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.stack([pixels] * 3, axis=2) if pixels.ndim == 2 else np.ascontiguousarray(pixels)


def _as_pdq(vector: NDArray[np.integer], quality: int) -> Pdq:
    return Pdq(np.packbits(vector.astype(np.uint8)).tobytes(), quality)
