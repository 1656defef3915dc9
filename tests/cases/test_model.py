"""Case numbers survive being read aloud and typed again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.cases.model import new_case_id, read_case_id
from tutela.errors import InvalidInputError


def test_numbers_do_not_repeat() -> None:
    assert len({new_case_id() for _ in range(1000)}) == 1000


def test_a_number_is_understood_however_it_is_typed() -> None:
    for _ in range(100):
        case = new_case_id()
        for typed in (case, case.lower(), case.replace("-", ""), case.replace("-", " ")):
            assert read_case_id(typed) == case
        misheard = case.replace("0", "O").replace("1", "l")
        assert read_case_id(misheard) == case


@given(st.text())
def test_what_is_no_number_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        case = read_case_id(text)
    except InvalidInputError:
        return
    assert read_case_id(case) == case


@pytest.mark.parametrize("text", ["", "7K3M", "7K3M-9QPD-2X4U", "7K3M-9QPD-2X4H-0"])
def test_what_cannot_be_a_number_is_explained(text: str) -> None:
    with pytest.raises(InvalidInputError, match="it looks like XXXX-XXXX-XXXX"):
        read_case_id(text)
