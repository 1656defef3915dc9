"""A kind of job that makes no sense is refused where it is written, not when it is due."""

import pytest

from tests.storage.jobs.working import kind_called
from tutela.storage.jobs.model import kinds_by_name


@pytest.mark.parametrize(
    "limits",
    [
        {"at_once": 0},
        {"attempts": 0},
        {"lease_seconds": 0},
        {"first_wait": -1},
        {"longest_wait": -1},
        {"schedule": "every day"},
        {"schedule": "0 0 30 2 *"},
    ],
)
def test_a_kind_that_makes_no_sense_is_refused(limits: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"mail: "):
        kind_called("mail", **limits)


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two kinds of job called mail"):
        kinds_by_name([kind_called("mail"), kind_called("mail")])
