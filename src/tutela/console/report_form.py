"""The form of a report: made from the content model's own fields, and read back. Pure.

Which fields there are, what they mean, how long they may be and which fixed values they take stands
in the model alone. Each field is called by where it stands in the report, as in
``victims.0.person.age``, and each file by its item, as in ``files.17.publicly_available``.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from tutela.reporting.cybertipline.model import Content
from tutela.reporting.cybertipline.shape import Kind, Part, parts

THERE = "there"
"""Says in a form that a part is there, although nothing is typed in it."""

_LONGEST_LINE = 255


class Look(StrEnum):
    """How a field is typed."""

    LINE = "line"
    WORDS = "words"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    CHOICE = "choice"
    MARKS = "marks"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Box:
    """One value of a report.

    Attributes:
        name: Where it stands.
        field: What the model calls it.
        help: What it means.
        look: How it is typed.
        value: What it says, as text.
        marks: What it says, if it may say several fixed values.
        choices: The fixed values that it takes.
        longest: How many characters it may have.
        number: Its place among others of its kind, from 1; 0 if it stands alone.
        is_required: Whether a report without it is refused.
        is_by_record: Whether it is what a record says, and nobody writes it.
        wrong: What is wrong with it.
        is_open: Whether it is seen without asking for more.
    """

    name: str
    field: str
    help: str
    look: Look
    value: str = ""
    marks: tuple[str, ...] = ()
    choices: tuple[StrEnum, ...] = ()
    longest: int | None = None
    number: int = 0
    is_required: bool = False
    is_by_record: bool = False
    wrong: str = ""
    is_open: bool = True
    shape: str = "box"

    @property
    def is_filled(self) -> bool:
        """Whether it says anything."""
        return bool(self.value or self.marks)


@dataclass(frozen=True, slots=True)
class Group:
    """A part of a report that has fields of its own.

    Attributes:
        name: Where it stands; empty for the whole.
        field: What the model calls it.
        help: What it means.
        nodes: Its fields.
        number: Its place among others of its kind, from 1; 0 if it stands alone.
        is_marked: Whether it says something by being there.
        wrong: What is wrong with it as a whole.
        is_open: Whether it is seen without asking for more.
    """

    name: str
    field: str
    help: str
    nodes: "tuple[Node, ...]"
    number: int = 0
    is_marked: bool = False
    wrong: str = ""
    is_open: bool = True
    shape: str = "group"

    @property
    def is_filled(self) -> bool:
        """Whether it says anything."""
        return self.is_marked or any(each.is_filled for each in self.nodes)


@dataclass(frozen=True, slots=True)
class Many:
    """Any number of one kind.

    Attributes:
        name: Where they stand.
        field: What the model calls them.
        help: What they mean.
        nodes: What there is of them.
        kinds: Of which kinds one more may be, where there are several.
        wrong: What is wrong with them as a whole.
        is_open: Whether they are seen without asking for more.
    """

    name: str
    field: str
    help: str
    nodes: "tuple[Node, ...]"
    kinds: tuple[str, ...] = ()
    wrong: str = ""
    is_open: bool = True
    shape: str = "many"

    @property
    def is_filled(self) -> bool:
        """Whether there are any."""
        return bool(self.nodes)


Node = Box | Group | Many


@dataclass(frozen=True, slots=True)
class Wish:
    """How a form is to be shown.

    Attributes:
        problems: What is wrong, by where it stands.
        add: The list that gets one more, empty entry; with ``:`` and its kind, where it has kinds.
        at: The field that somebody is led to.
        by_record: The fields that nobody writes.
    """

    problems: Mapping[str, str] = field(default_factory=dict)
    add: str = ""
    at: str = ""
    by_record: Collection[str] = ()

    def leads_into(self, name: str) -> bool:
        """Whether somebody is led to a field, or into a part."""
        goals = (self.add.partition(":")[0], self.at, *self.problems)
        return any(goal == name or goal.startswith(f"{name}.") for goal in goals if goal)


def form_of(
    model: type[Content], values: Mapping[str, Any], wish: Wish, name: str = "", *, called: str = ""
) -> Group:
    """The form of a part of a report.

    Args:
        model: The part.
        values: What it says, as JSON has it.
        wish: How it is to be shown.
        name: Where it stands; empty for the whole report.
        called: What the model calls it.
    """
    nodes = tuple(_nodes(model, values, wish, name))
    return Group(name, called, "", nodes, wrong=wish.problems.get(name, ""))


def boxes(node: Node) -> Iterator[Box]:
    """Every value that can be typed in a form, in order."""
    if isinstance(node, Box):
        yield node
    else:
        for each in node.nodes:
            yield from boxes(each)


def elements_in(
    model: type[Content], name: str = "", seen: frozenset[type] = frozenset()
) -> Iterator[tuple[str, str]]:
    """What the schema calls each field, and where the first one of it stands in the form."""
    for part in parts(model):
        path = _under(name, part.field)
        if part.name:
            yield part.name, path
        if part.content is not None and part.content not in seen:
            inner = f"{path}.0" if part.many else path
            yield from elements_in(part.content, inner, seen | {part.content})


def read_form(model: type[Content], typed: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """What was typed in a form, as JSON of the model has it. What is empty is left out.

    Args:
        model: The part of a report.
        typed: Each field's name within the part, and its text.
    """
    tree: dict[str, Any] = {}
    for name, text in typed:
        *way, last = name.split(".")
        holder = tree
        for step in way:
            inner = holder.setdefault(step, {})
            if not isinstance(inner, dict):
                break
            holder = inner
        else:
            leaf = holder.setdefault(last, [])
            if isinstance(leaf, list):
                leaf.append(text.replace("\r\n", "\n"))
    return normal(model, _read(model, tree))


def normal(model: type[Content], values: dict[str, Any]) -> dict[str, Any]:
    """The same values as the model itself writes them, as far as it takes them as they are."""
    try:
        found = model.model_validate(values)
    except ValidationError:
        known = {each.field: each for each in parts(model)}
        return {
            name: _normal(model, known[name], value) if name in known else value
            for name, value in values.items()
        }
    return found.model_dump(mode="json", exclude_defaults=True, exclude_none=True)


def without(typed: Iterable[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    """What was typed, but for one part of it."""
    return [each for each in typed if each[0] != name and not each[0].startswith(f"{name}.")]


def _normal(model: type[Content], part: Part, value: Any) -> Any:
    if part.content is not None and part.many and isinstance(value, list):
        return [normal(part.content, each) if isinstance(each, dict) else each for each in value]
    if part.content is not None and isinstance(value, dict):
        return normal(part.content, value)
    adapter = _adapter(model, part.field)
    try:
        return adapter.dump_python(adapter.validate_python(value), mode="json")
    except ValidationError:
        return value


@lru_cache
def _adapter(model: type[Content], name: str) -> TypeAdapter[Any]:
    told = model.model_fields[name]
    annotation: Any = told.annotation
    if told.metadata:
        annotation = Annotated[annotation, *told.metadata]
    return TypeAdapter(annotation)


def _nodes(
    model: type[Content], values: Mapping[str, Any], wish: Wish, name: str
) -> Iterator[Node]:
    for part in parts(model):
        path = _under(name, part.field)
        help_text = model.model_fields[part.field].description or ""
        value = values.get(part.field)
        if part.kind is Kind.MARKS or (part.content is None and not part.many):
            yield _box(model, part, value, wish, path)
        elif part.many:
            yield _many(model, part, value, wish, path)
        elif part.content is not None:
            inner = value if isinstance(value, Mapping) else {}
            yield Group(
                path,
                part.field,
                help_text,
                tuple(_nodes(part.content, inner, wish, path)),
                is_marked=value == {},
                wrong=wish.problems.get(path, ""),
                is_open=bool(inner) or part.required or wish.leads_into(path),
            )


def _many(model: type[Content], part: Part, value: Any, wish: Wish, path: str) -> Many:
    held = list(value) if isinstance(value, list | tuple) else []
    place, _, kind = wish.add.partition(":")
    kinds = _kinds(part.content)
    if place == path:
        held.append({kind: {}} if kind in kinds else None)
    nodes: list[Node] = []
    for number, each in enumerate(held):
        name = f"{path}.{number}"
        if part.content is None:
            nodes.append(_box(model, part, each, wish, name, number + 1))
            continue
        inner = each if isinstance(each, Mapping) else {}
        nodes.append(
            Group(
                name,
                part.field,
                "",
                tuple(_chosen(part.content, inner, wish, name) if kinds else ())
                or tuple(_nodes(part.content, inner, wish, name)),
                number=number + 1,
                wrong=wish.problems.get(name, ""),
            )
        )
    return Many(
        path,
        part.field,
        model.model_fields[part.field].description or "",
        tuple(nodes),
        kinds,
        wish.problems.get(path, ""),
        is_open=bool(held) or part.required or wish.leads_into(path),
    )


def _chosen(
    model: type[Content], values: Mapping[str, Any], wish: Wish, name: str
) -> Iterator[Node]:
    """Of a part that is one of several kinds, the kind that it is."""
    for part in parts(model):
        inner = values.get(part.field)
        if part.content is not None and isinstance(inner, Mapping):
            path = _under(name, part.field)
            yield Group(
                path,
                part.field,
                model.model_fields[part.field].description or "",
                tuple(_nodes(part.content, inner, wish, path)),
                is_marked=True,
                wrong=wish.problems.get(path, ""),
            )


def _box(
    model: type[Content], part: Part, value: Any, wish: Wish, path: str, number: int = 0
) -> Box:
    said = _schema(model, part.field)
    look = _look(part, said)
    text = "" if value is None or look is Look.MARKS else _text(value)
    marks = tuple(map(str, value)) if look is Look.MARKS and isinstance(value, list | tuple) else ()
    return Box(
        name=path,
        field=part.field,
        help=model.model_fields[part.field].description or "",
        look=look,
        value=text,
        marks=marks,
        choices=tuple(part.word) if part.word is not None else (),
        longest=said.get("maxLength"),
        number=number,
        is_required=part.required and part.field not in wish.by_record,
        is_by_record=part.field in wish.by_record,
        wrong=wish.problems.get(path, ""),
        is_open=bool(text or marks or number or part.required) or wish.leads_into(path),
    )


def _look(part: Part, said: Mapping[str, Any]) -> Look:
    if part.kind is Kind.MARKS:
        return Look.MARKS
    if part.word is not None:
        return Look.CHOICE
    if part.is_flag:
        return Look.FLAG
    if said.get("type") == "integer":
        return Look.NUMBER
    by_format = {"date": Look.DAY, "date-time": Look.MOMENT}.get(said.get("format", ""))
    if by_format is not None:
        return by_format
    return Look.WORDS if said.get("maxLength", 0) > _LONGEST_LINE else Look.LINE


def _schema(model: type[Content], name: str) -> Mapping[str, Any]:
    """What the model's JSON schema says of one value of a field."""
    found = _schema_of(model)["properties"][name]
    for each in found.get("anyOf", ()):
        if each.get("type") != "null":
            found = each
            break
    inner: Mapping[str, Any] = found.get("items", found)
    return inner


@lru_cache
def _schema_of(model: type[Content]) -> Mapping[str, Any]:
    return model.model_json_schema()


@lru_cache
def _kinds(model: type[Content] | None) -> tuple[str, ...]:
    """The kinds of a part that is one of several."""
    if model is None:
        return ()
    found = parts(model)
    is_one = all(each.content is not None and not each.many for each in found)
    return tuple(each.field for each in found) if is_one and len(found) > 1 else ()


def _read(model: type[Content], tree: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for part in parts(model):
        held = tree.get(part.field)
        value = None if held is None else _value(part, held)
        if value not in (None, "", [], {}) or (isinstance(held, dict) and THERE in held):
            found[part.field] = value
    return found


def _value(part: Part, held: Any) -> Any:
    if part.kind is Kind.MARKS:
        return [each for each in held if each] if isinstance(held, list) else []
    if part.many:
        places = sorted(filter(_is_place, held), key=int) if isinstance(held, dict) else []
        found = [_one(part, held[each]) for each in places]
        return [each for each in found if each not in (None, "", {})]
    return _one(part, held)


def _one(part: Part, held: Any) -> Any:
    if part.content is not None:
        return _read(part.content, held) if isinstance(held, dict) else {}
    text = held[-1].strip() if isinstance(held, list) else ""
    if part.is_flag and text in ("true", "false"):
        return text == "true"
    return text


def _is_place(text: str) -> bool:
    return re.fullmatch("[0-9]{1,6}", text) is not None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _under(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part
