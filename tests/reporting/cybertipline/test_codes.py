"""Each code has one meaning, and says what is to be done."""

import pytest

from tutela.reporting.cybertipline.codes import CODES, Remedy, code

# As the facts that were gathered have it.
_REMEDIES = {
    Remedy.NONE: [0],
    Remedy.RETRY: [1000, 1100, 1110, 1111, 1300],
    Remedy.STOP: [1210, 2000, 3000, 3100, 3300],
    Remedy.MEND: [4000, 4100, 4110, 4200],
    Remedy.STEP: [5001, 5002, 5101, 5102],
}


@pytest.mark.parametrize("remedy", list(Remedy))
def test_each_code_asks_for_its_remedy(remedy: Remedy) -> None:
    assert [number for number in CODES if code(number).remedy is remedy] == _REMEDIES[remedy]


def test_every_code_has_a_meaning_of_its_own() -> None:
    meanings = [each.meaning for each in CODES.values()]
    assert all(meanings)
    assert len(set(meanings)) == len(meanings)


def test_what_no_source_says_is_marked() -> None:
    told = [number for number, each in CODES.items() if not each.is_inferred]
    assert told == [0, 1000, 2000, 3000, 4100, 5001, 5102]


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (1999, Remedy.RETRY),
        (2001, Remedy.STOP),
        (3999, Remedy.STOP),
        (4999, Remedy.MEND),
        (5999, Remedy.STOP),
        (1, Remedy.STOP),
        (2**31 - 1, Remedy.STOP),
    ],
)
def test_an_unknown_code_is_taken_for_one_of_its_family_and_never_for_a_success(
    number: int, remedy: Remedy
) -> None:
    assert code(number).remedy is remedy
    assert str(number) in code(number).meaning
    assert code(number).is_inferred
