"""Until when a case has to be reported."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.reporting.authorities.test_routing import WRITTEN, all_confirmed, case
from tutela.reporting.authorities.clocks import clocks
from tutela.reporting.authorities.model import Incident
from tutela.reporting.authorities.routing import route

CONFIRMED = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def test_where_the_law_gives_no_number_the_houses_own_counts_and_says_so() -> None:
    (clock,) = clocks(route(WRITTEN, case("US")), CONFIRMED, 24)
    assert clock.due_at == CONFIRMED + timedelta(hours=24)
    assert not clock.is_by_law
    assert clock.words == (
        "us-ncmec by 2026-05-02 12:00 (UTC): 24 hours after the case was confirmed, as this house "
        'has it; 18 U.S.C. 2258A(a)(1)(A)(i) says "as soon as reasonably possible after obtaining '
        'actual knowledge" and gives no number of hours'
    )


def test_a_number_of_the_law_comes_before_the_houses_own() -> None:
    duty = replace(WRITTEN.duties["us-2258a-apparent"], within_hours=2)
    directory = replace(WRITTEN, duties={**WRITTEN.duties, duty.id: duty})
    (clock,) = clocks(route(directory, case("US")), CONFIRMED, 24)
    assert (clock.due_at, clock.is_by_law) == (CONFIRMED + timedelta(hours=2), True)
    assert clock.words.endswith(
        "2 hours after the case was confirmed, by 18 U.S.C. 2258A(a)(1)(A)(i)"
    )


def test_the_one_that_ends_first_comes_first() -> None:
    duty = replace(WRITTEN.duties["eu-dsa-18"], within_hours=1)
    directory = replace(WRITTEN, duties={**WRITTEN.duties, duty.id: duty})
    circumstances = case("US", "DE", None, Incident.MATERIAL, Incident.DANGER)
    found = clocks(route(directory, circumstances), CONFIRMED, 24)
    assert [each.route.duty.id for each in found] == ["eu-dsa-18", "us-2258a-apparent"]


def test_no_clock_runs_by_what_nobody_stands_for_or_nobody_has_to() -> None:
    assert clocks(route(WRITTEN, case("AU")), CONFIRMED, 24) == ()
    assert clocks(route(WRITTEN, case("US", None, None, Incident.DANGER)), CONFIRMED, 24) == ()
    assert len(clocks(route(all_confirmed(WRITTEN), case("AU")), CONFIRMED, 24)) == 1


def test_who_has_been_told_has_no_clock() -> None:
    told = {"us-ncmec"}
    assert clocks(route(WRITTEN, case("US"), told), CONFIRMED, 24, told) == ()


def test_an_authority_that_is_missing_has_a_clock() -> None:
    (clock,) = clocks(route(WRITTEN, case("US", "FR", None, Incident.DANGER)), CONFIRMED, 24)
    assert clock.words.startswith("police by 2026-05-02")
    fields = clock.as_fields(CONFIRMED + timedelta(hours=24))
    assert (fields["authority"], fields["overdue"]) == (None, True)
