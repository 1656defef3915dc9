"""The OpenAPI description is true: whatever it allows is answered as it says."""

from collections.abc import Iterator

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance


def test_no_request_that_the_description_allows_is_answered_otherwise(make_house) -> None:
    with make_house() as house:
        schema = schemathesis.openapi.from_url(f"{house.address}/openapi.json", timeout=100)
        headers = {"Authorization": house.client.headers["Authorization"]}
        operations = [result.ok() for result in schema.get_all_operations()]
        assert len(operations) >= 11
        for operation in operations:

            @settings(
                max_examples=6,
                deadline=None,
                database=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy())
            def hold(case: Case) -> None:
                # A hash may be well formed by its pattern and a request still make no sense.
                case.call_and_validate(
                    headers=headers, excluded_checks=[positive_data_acceptance], timeout=100
                )

            hold()


def test_every_reference_in_the_description_leads_somewhere(make_house) -> None:
    with make_house() as house:
        document = house.stranger().get("/openapi.json").json()
    references = list(_references(document))
    assert references
    for reference in references:
        found = document
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)
