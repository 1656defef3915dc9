"""A draft is brought up to date, and nothing that a person wrote is undone."""

from hypothesis import given
from hypothesis import strategies as st

from tutela.reporting.drafts.merging import merge

BEFORE = {"who": {"name": "a", "ip": ["192.0.2.1"]}, "victims": [], "note": "of before"}

_values = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: (
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3) | st.lists(inner, max_size=2)
    ),
    max_leaves=6,
)


def test_what_nobody_changed_is_what_is_known_now() -> None:
    now = {"who": {"name": "a", "ip": ["192.0.2.1", "192.0.2.2"], "mail": "b@example.org"}}
    assert merge(BEFORE, BEFORE, now) == now


def test_what_a_person_wrote_stays_and_the_rest_comes_beside_it() -> None:
    written = {**BEFORE, "who": {"name": "written", "ip": ["192.0.2.1"]}, "more": "words"}
    now = {**BEFORE, "who": {"name": "b", "ip": ["192.0.2.9"], "mail": "b@example.org"}}
    assert merge(written, BEFORE, now) == {
        **BEFORE,
        "who": {"name": "written", "ip": ["192.0.2.9"], "mail": "b@example.org"},
        "more": "words",
    }


def test_what_a_person_took_out_stays_out() -> None:
    written = {"who": {"ip": ["192.0.2.1"]}, "victims": []}
    assert merge(written, BEFORE, BEFORE) == written


def test_a_person_s_part_and_what_the_platform_adds_to_it_come_together() -> None:
    written = {"who": {"name": "written"}}
    assert merge(written, {}, {"who": {"mail": "b@example.org", "name": "c"}}) == {
        "who": {"name": "written", "mail": "b@example.org"}
    }


@given(_values, _values)
def test_filling_twice_with_the_same_changes_nothing(written, filled) -> None:
    assert merge(written, filled, filled) == written


@given(_values, _values)
def test_an_untouched_draft_is_filled_anew(filled, now) -> None:
    assert merge(filled, filled, now) == now
