from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core._pydantic_core import list_all_errors

from tutela.refusing import words_of_refusal
from tutela.reporting.authorities import reading
from tutela.reporting.cybertipline import model

ODD: tuple[Any, ...] = (
    "",
    "x" * 100_001,
    "true",
    "+12345",
    "12.5",
    "1" * 5_000,
    "2026-13-45T00:00:00Z",
    "2026-02-30",
    "2026-01-01T00:00:00",
    "\ud800",
    -5,
    10**30,
    1.5,
    float("nan"),
    Decimal("1.00000000000001"),
    True,
    None,
    [],
    ["x"],
    {},
    {"odd": 1},
)
FORMS = (
    *reading._FORMS.values(),
    *(
        each
        for each in vars(model).values()
        if isinstance(each, type) and issubclass(each, model.Content)
    ),
)


def refusals(form: type[BaseModel], values: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        form.model_validate(values)
    except ValidationError as error:
        return [dict(each) for each in error.errors(include_url=False, include_input=False)]
    return []


def test_whatever_the_forms_of_people_refuse_has_words_of_its_own() -> None:
    unknown = {
        (form.__name__, field, detail["type"])
        for form in FORMS
        for field in form.model_fields
        for odd in ODD
        for detail in refusals(form, {field: odd})
        if words_of_refusal(detail) == "cannot be meant"
    }
    assert unknown == set()


def test_nothing_that_the_library_can_refuse_is_told_in_its_words() -> None:
    for error in list_all_errors():
        context = error.get("example_context") or {}
        words = words_of_refusal({"type": error["type"], "ctx": context})
        assert words, error["type"]
        if error["type"] not in ("value_error", "assertion_error"):
            assert words != error["example_message_python"]
            assert "nput" not in words


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ({"type": "string_too_short", "ctx": {"min_length": 1}}, "is empty"),
        ({"type": "string_too_short", "ctx": {"min_length": 3}}, "is shorter than 3 characters"),
        ({"type": "string_too_long", "ctx": {"max_length": 200}}, "is longer than 200 characters"),
        ({"type": "enum", "ctx": {"expected": "'must' or 'may'"}}, "should be one of: must, may"),
        ({"type": "value_error", "ctx": {"error": ValueError("is odd")}}, "is odd"),
        ({"type": "url_scheme"}, "cannot be meant"),
    ],
)
def test_what_is_wrong_is_told_in_a_few_words(detail: dict[str, Any], words: str) -> None:
    assert words_of_refusal(detail) == words
