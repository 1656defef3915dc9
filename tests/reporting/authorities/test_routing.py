"""To whom a case goes, and why."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tutela.reporting.authorities.model import (
    Authority,
    AuthorityKind,
    Confirmation,
    Directory,
    Incident,
    Origin,
)
from tutela.reporting.authorities.reading import written_directory
from tutela.reporting.authorities.routing import (
    Because,
    Circumstances,
    Outcome,
    Reason,
    Route,
    route,
)
from tutela.storage.settings import load_settings

WRITTEN = written_directory(load_settings())
BY_SOMEBODY = Confirmation(datetime(2026, 1, 1, tzinfo=UTC), "somebody", "their counsel")


def case(
    here: str | None = None,
    subject: str | None = None,
    victim: str | None = None,
    *incidents: Incident,
) -> Circumstances:
    return Circumstances(here, subject, victim, frozenset(incidents or {Incident.MATERIAL}))


def whom(routes: tuple[Route, ...], outcome: Outcome = Outcome.APPLIES) -> list[str]:
    return [
        f"{each.duty.id} > {each.authority.id if each.authority else '-'}"
        for each in routes
        if each.outcome is outcome
    ]


def of(routes: tuple[Route, ...], duty: str) -> Route:
    (found,) = [each for each in routes if each.duty.id == duty]
    return found


def all_confirmed(directory: Directory) -> Directory:
    def by_somebody(rows):
        return {name: replace(row, confirmation=BY_SOMEBODY) for name, row in rows.items()}

    return replace(
        directory,
        authorities=by_somebody(directory.authorities),
        channels=by_somebody(directory.channels),
        duties=by_somebody(directory.duties),
    )


def police_of(country: str) -> Authority:
    return Authority(
        id=f"{country.lower()}-police",
        version=1,
        origin=Origin.HOUSE,
        source="",
        checked_on=None,
        notes="",
        digest="",
        confirmation=BY_SOMEBODY,
        name="police",
        country=country,
        kind=AuthorityKind.POLICE,
    )


@pytest.mark.parametrize(
    ("circumstances", "applying"),
    [
        (case("US"), ["us-2258a-apparent > us-ncmec"]),
        (
            case("US", None, None, Incident.MATERIAL, Incident.DANGER),
            ["us-2258a-apparent > us-ncmec", "us-2258a-imminent > us-ncmec"],
        ),
        (case("US", "GB"), ["us-2258a-apparent > us-ncmec"]),
        (
            case("US", "DE", None, Incident.DANGER),
            ["us-2258a-imminent > us-ncmec", "eu-dsa-18 > de-bka"],
        ),
        (case("GB"), ["gb-osa-66-here > gb-nca"]),
        (case("DE"), []),
        (
            case("DE", None, None, Incident.DANGER),
            ["eu-dsa-18 > de-bka", "eu-dsa-18-europol > eu-europol"],
        ),
        (case("DE", "US", "US", Incident.DANGER), []),
        (case("DE", "DE", "DE", Incident.DANGER), ["eu-dsa-18 > de-bka"]),
        (case("AU"), []),
        (case("NZ"), []),
        (case("JP", "JP", "JP"), []),
        (case(), []),
    ],
)
def test_to_whom_a_case_goes_by_what_was_read(circumstances, applying) -> None:
    assert whom(route(WRITTEN, circumstances)) == applying


def test_a_report_of_a_us_provider_and_a_national_hotline_go_together() -> None:
    routes = route(all_confirmed(WRITTEN), case("US", "GB"))
    assert whom(routes) == [
        "us-2258a-apparent > us-ncmec",
        "gb-osa-66-elsewhere > gb-nca",
        "hotline-of-the-country > -",
    ]
    assert of(routes, "gb-osa-66-elsewhere").reasons[-1].because is Because.SUFFICES


def test_every_duty_is_answered_for_with_reasons() -> None:
    routes = route(WRITTEN, case("AU", "GB", "NZ", Incident.ELSEWHERE))
    assert {each.duty.id for each in routes} == set(WRITTEN.duties)
    assert all(each.reasons and each.words for each in routes)


def test_what_nobody_stands_for_leads_nowhere_and_says_so() -> None:
    found = of(route(WRITTEN, case("AU")), "au-criminal-code-474-25")
    assert found.outcome is Outcome.WOULD_APPLY
    assert not found.is_owed
    assert [each.about for each in found.reasons if each.because is Because.UNVERIFIED] == [
        "au-criminal-code-474-25",
        "au-afp",
    ]
    assert of(route(all_confirmed(WRITTEN), case("AU")), "au-criminal-code-474-25").is_owed


def test_a_confirmed_duty_to_an_unconfirmed_authority_leads_nowhere_either() -> None:
    duty = replace(WRITTEN.duties["au-criminal-code-474-25"], confirmation=BY_SOMEBODY)
    half = replace(WRITTEN, duties={**WRITTEN.duties, duty.id: duty})
    assert of(route(half, case("AU")), duty.id).outcome is Outcome.WOULD_APPLY


def test_without_an_establishment_nothing_applies_that_depends_on_it() -> None:
    found = of(route(WRITTEN, case()), "us-2258a-apparent")
    assert found.outcome is Outcome.NOT
    assert "set reporting.establishment" in found.words


def test_who_is_told_already_is_enough_where_the_law_says_so() -> None:
    routes = route(WRITTEN, case("GB"), told={"us-ncmec"})
    found = of(routes, "gb-osa-66-here")
    assert found.outcome is Outcome.NOT
    assert found.words.endswith("us-ncmec has been told, which is enough here")


def test_both_countries_that_are_concerned_are_told() -> None:
    france = police_of("FR")
    directory = replace(WRITTEN, authorities={**WRITTEN.authorities, france.id: france})
    routes = route(directory, case("US", "DE", "FR", Incident.DANGER))
    assert [each for each in whom(routes) if "dsa" in each] == [
        "eu-dsa-18 > de-bka",
        "eu-dsa-18 > fr-police",
    ]


def test_a_country_whose_police_the_directory_lacks_is_owed_all_the_same() -> None:
    found = of(route(WRITTEN, case("US", "FR", None, Incident.DANGER)), "eu-dsa-18")
    assert found.is_owed
    assert found.authority is None
    assert found.reasons[-1].words == "the directory has no police of FR: add it"


def test_where_nobody_knows_who_is_concerned_it_goes_to_where_the_provider_is() -> None:
    found = of(route(WRITTEN, case("DE", "US", None, Incident.DANGER)), "eu-dsa-18")
    assert found.authority.id == "de-bka"
    assert found.reasons[-1].because is Because.WHERE_ESTABLISHED
    nowhere = of(route(WRITTEN, case(None, "US", None, Incident.DANGER)), "eu-dsa-18")
    assert nowhere.outcome is Outcome.NOT
    assert nowhere.reasons[-1].because is Because.ESTABLISHMENT_UNKNOWN
    outside = of(route(WRITTEN, case("US", "US", None, Incident.DANGER)), "eu-dsa-18")
    assert outside.reasons[-1].because is Because.NOT_ESTABLISHED


def test_who_has_been_told_stays_in_the_answer() -> None:
    found = of(route(WRITTEN, case("US"), told={"us-ncmec"}), "us-2258a-apparent")
    assert found.outcome is Outcome.APPLIES
    assert found.reasons[-1].because is Because.DONE


def test_a_way_that_nobody_stands_for_is_not_taken() -> None:
    assert of(route(WRITTEN, case("US")), "us-2258a-apparent").channel.kind == "cybertipline"
    assert of(route(WRITTEN, case("GB")), "gb-osa-66-here").channel is None


def test_every_reason_can_be_said() -> None:
    for because in Because:
        assert Reason(because, "material").words


def test_a_route_is_told_by_names() -> None:
    told = of(route(WRITTEN, case("US")), "us-2258a-apparent").as_fields()
    assert told["authority"] == "us-ncmec"
    assert told["outcome"] == "applies"
    assert told["reasons"][0] == {
        "because": "established",
        "about": "US",
        "words": "your service is established in US",
    }
