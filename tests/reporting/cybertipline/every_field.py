"""Every place of the model where something can stand, found by walking it."""

from collections.abc import Iterator
from typing import Any

from tests.reporting.cybertipline.strategies import sample
from tutela.reporting.cybertipline.model import Content, FileDetails, InternetDetails, Report
from tutela.reporting.cybertipline.shape import Kind, Part, parts

Way = tuple[Part, ...]


def ways(model: type[Content], before: Way = ()) -> Iterator[Way]:
    """The way to each field that holds a value, through the fields that hold it."""
    for part in parts(model):
        way = (*before, part)
        if part.content is None:
            yield way
        else:
            yield from ways(part.content, way)


def name_of(way: Way) -> str:
    return ".".join(part.field for part in way)


def least(model: type[Content]) -> dict[str, Any]:
    """What an instance needs at least."""
    if model is InternetDetails:
        return {"web_page_incident": {}}
    return {part.field: _value(model, part, ()) for part in parts(model) if part.required}


def with_field(model: type[Content], way: Way) -> dict[str, Any]:
    """What an instance needs at least, and one field more, on this way."""
    part, beyond = way[0], way[1:]
    given = {} if model is InternetDetails else least(model)
    given[part.field] = _value(model, part, beyond)
    return given


def _value(model: type[Content], part: Part, beyond: Way) -> Any:
    if part.content is None:
        value: Any = sample(model, part)
    else:
        value = with_field(part.content, beyond) if beyond else least(part.content)
    return [value] if part.many or part.kind is Kind.MARKS else value


ROOTS: dict[str, type[Content]] = {"report": Report, "fileDetails": FileDetails}
EVERY_WAY = [(root, way) for root, model in ROOTS.items() for way in ways(model)]
EVERY_NAME = [f"{root}.{name_of(way)}" for root, way in EVERY_WAY]
EVERY_CLASS = list(
    dict.fromkeys(
        [*ROOTS.values(), *(part.content for _, way in EVERY_WAY for part in way if part.content)]
    )
)
EVERY_PART = [(model, part) for model in EVERY_CLASS for part in parts(model)]
