"""What is known of a case, as a package for an authority tells it."""

from sqlalchemy import Connection

from tutela.cases.model import read_case_id
from tutela.cases.reading import WholeItem, find_case
from tutela.evidence.disclosure.model import Dossier, DossierItem, Matched
from tutela.sandbox.formats import HEAD_BYTES, recognise


def dossier_of(connection: Connection, case: str) -> Dossier:
    """What is known of a case, as a package tells it: never an entry of a list.

    Raises:
        NotFoundError: There is no such case.
    """
    found = find_case(connection, read_case_id(case))
    return Dossier(
        case=found.id,
        state=found.state,
        opened_at=found.opened_at,
        items=tuple(map(_dossier_item, found.items)),
    )


def _dossier_item(item: WholeItem) -> DossierItem:
    texts = item.item.fingerprints.as_texts()
    return DossierItem(
        evidence=item.evidence.id if item.evidence else None,
        name=item.item.name,
        origin=item.item.origin,
        received_at=item.received_at,
        size=item.item.fingerprints.size,
        digests={kind: str(texts[kind]) for kind in ("md5", "sha1", "sha256") if texts.get(kind)},
        pdq=str(texts["pdq"]) if texts.get("pdq") else None,
        pdq_quality=item.item.fingerprints.pdq_quality,
        matches=tuple(
            dict.fromkeys(Matched(each.list_name, each.kind, each.place) for each in item.matches)
        ),
    )


def media_type(head: bytes) -> str | None:
    """What a file is by its first bytes, as far as we can tell pictures."""
    found = recognise(head[:HEAD_BYTES])
    return _MEDIA_TYPES.get(found.name) if found else None


# https://www.iana.org/assignments/media-types
_MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WebP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
    "HEIC": "image/heic",
    "HEIF": "image/heif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "JPEG 2000": "image/jp2",
    "ICO": "image/vnd.microsoft.icon",
    "CUR": "image/vnd.microsoft.icon",
    "PSD": "image/vnd.adobe.photoshop",
    "JPEG XL": "image/jxl",
    "JPEG XR": "image/jxr",
}
