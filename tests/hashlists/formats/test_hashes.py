"""What a hash is taken for."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.hashlists.formats.hashes import AMBIGUOUS, KindHint, read_hash, read_kind

ANY = KindHint()
OF_FILES = [kind for kind in Kind if not kind.is_of_words]
fingerprints = st.sampled_from([kind for kind in OF_FILES if kind is not Kind.VPDQ]).flatmap(
    lambda kind: st.binary(min_size=kind.width, max_size=kind.width).map(
        lambda value: Fingerprint(kind, value)
    )
)


@given(fingerprints, st.booleans())
def test_a_hash_of_a_stated_kind_comes_back_whatever_its_case(
    fingerprint: Fingerprint, upper: bool
) -> None:
    text = fingerprint.text.upper() if upper else fingerprint.text
    assert read_hash(text, fingerprint.kind, ANY) == fingerprint
    assert read_hash(text, None, KindHint(every=fingerprint.kind)) == fingerprint


@given(fingerprints)
def test_base64_is_understood(fingerprint: Fingerprint) -> None:
    text = base64.b64encode(fingerprint.value).decode()
    assert read_hash(text, fingerprint.kind, ANY) == fingerprint


@given(fingerprints)
def test_the_width_tells_the_kind_or_the_hash_is_refused(fingerprint: Fingerprint) -> None:
    if fingerprint.kind in (Kind.MD5, Kind.SHA1):
        assert read_hash(fingerprint.text, None, ANY) == fingerprint
        return
    with pytest.raises(InvalidInputError) as refused:
        read_hash(fingerprint.text, None, ANY)
    assert refused.value.message == AMBIGUOUS
    hint = KindHint(wide=fingerprint.kind)
    assert read_hash(fingerprint.text, None, hint) == fingerprint


@given(st.text(max_size=80), st.sampled_from([None, *OF_FILES]))
def test_any_text_is_a_hash_or_refused_without_being_repeated(text: str, kind: Kind | None) -> None:
    try:
        fingerprint = read_hash(text, kind, ANY)
    except InvalidInputError as error:
        assert len(text) < 8 or text not in error.message
    else:
        assert fingerprint.text == text.lower() or len(text) % 4 == 0


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("", None, "the hash is missing"),
        ("ab", None, "2 hexadecimal digits are no hash"),
        ("a" * 33, None, "an odd number"),
        ("a" * 33, Kind.MD5, "an odd number"),
        ("a" * 40, Kind.SHA256, "a sha256 hash has 64 hexadecimal digits, not 40"),
        ("g" * 32, None, "not hexadecimal"),
        ("ab " * 11 + "a", None, "not hexadecimal"),
        ("٣" * 32, None, "not hexadecimal"),
        ("=" * 24, None, "not hexadecimal"),
    ],
)
def test_what_is_no_hash_is_refused_with_the_reason(
    text: str, kind: Kind | None, reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        read_hash(text, kind, ANY)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("MD5", Kind.MD5),
        ("SHA-1", Kind.SHA1),
        ("sha_256", Kind.SHA256),
        ("video_md5", Kind.MD5),
        ("HASH_PDQ", Kind.PDQ),
        ("pdq hash", Kind.PDQ),
        ("vpdq", Kind.VPDQ),
        ("HASH_VIDEO_VPDQ", Kind.VPDQ),
        ("PhotoDNA", None),
        ("sha512", None),
        ("", None),
    ],
)
def test_kinds_go_by_the_names_that_lists_use(word: str, kind: Kind | None) -> None:
    assert read_kind(word) is kind
