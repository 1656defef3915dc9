"""What is wrong with a value that a model refused, in words of ours.

Pydantic's own words are for programmers, and in English alone: people are never shown them. Each of
these is known again by its form, so that a page says it in the reader's language.
"""

import re
from collections.abc import Mapping
from typing import Any

_DAY = "should be a date, such as 2010-01-31"
_MOMENT = "should be a date and a time with a zone, such as 2026-01-15T12:00:00Z"
_NETWORK = "should be a network, such as 10.1.0.0/16"
_WRONG = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "value_error": "{error}",
    # Text
    "string_type": "should be text",
    "string_unicode": "holds a character that cannot be written: take it out",
    "string_too_long": "is longer than {max_length} characters",
    "string_too_short": "is shorter than {min_length} characters",
    "string_pattern_mismatch": "is not written as it should be",
    # Numbers
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_parsing_size": "should be a smaller number",
    "int_from_float": "should be a whole number",
    "decimal_type": "should be a number",
    "decimal_parsing": "should be a number",
    "decimal_max_digits": "should be a smaller number",
    "decimal_whole_digits": "should be a smaller number",
    "decimal_max_places": "has more than {decimal_places} decimal places",
    "finite_number": "should be a number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is more than {le}",
    "greater_than": "should be more than {gt}",
    "less_than": "should be less than {lt}",
    # Yes or no, one of several, days
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "enum": "should be one of: {expected}",
    "literal_error": "should be one of: {expected}",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_object_invalid": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "timezone_aware": "needs a zone, such as the Z in 2026-01-15T12:00:00Z",
    # Settings
    "path_type": "should be a path",
    "ip_v4_network": _NETWORK,
    "ip_v6_network": _NETWORK,
    # Several
    "too_long": "are more than {max_length}",
    "too_short": "needs at least {min_length}",
    "list_type": "should be a list",
    "tuple_type": "should be a list",
    "dict_type": "should have parts with names",
    "model_type": "should have parts with names",
}
_OTHERWISE = "cannot be meant"


def words_of_refusal(detail: Mapping[str, Any]) -> str:
    """What is wrong with a value, to be read after its name.

    Args:
        detail: One of the details of a ``ValidationError``. What was given is not repeated.
    """
    kind, context = detail["type"], dict(detail.get("ctx", {}))
    if kind == "string_too_short" and context["min_length"] == 1:
        return "is empty"
    if "expected" in context:
        # As Pydantic lists them: 'police', 'hotline' or 'regulator'.
        context["expected"] = ", ".join(re.findall("'([^']*)'", str(context["expected"])))
    return _WRONG.get(kind, _OTHERWISE).format(**context)
