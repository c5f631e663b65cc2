"""What a model found wrong with an entry, in a sentence for the person who edits the file."""

import re
from collections.abc import Callable, Hashable

from pydantic_core import ErrorDetails

from libs.terms.faults import Place, WrongEntry, near
from libs.terms.files import Entry

_KINDS = {
    "int": "a whole number",
    "string": "a text",
    "bool": "true or false",
    "date": "a date",
    "time": "a time, as 09:00 in quotes",
    "tuple": "a list",
    "frozen_set": "a list",
    "dict": "a mapping",
    "mapping": "a mapping",
    "model": "a mapping",
}
_BOUNDS = {"ge": "at least", "le": "at most"}


def place_of(error: ErrorDetails, *, entry: Entry) -> Place:
    """Give the way to what is wrong, without the steps that the validator itself made up."""
    cause = error.get("ctx", {}).get("error")
    asked = (*error["loc"], *(cause.at if isinstance(cause, WrongEntry) else ()))
    found: list[Hashable] = []
    for step in asked:
        below = entry.at([step])
        if below is not entry:
            found.append(entry.key_of(step))
            entry = below
    return tuple(found)


def naming_of(error: ErrorDetails) -> str | None:
    """Give the value whose first mention is what is wrong, where the rule named one."""
    cause = error.get("ctx", {}).get("error")
    return cause.naming if isinstance(cause, WrongEntry) else None


def is_absence(error: ErrorDetails) -> bool:
    """Tell whether something is missing, so that the line alone may look right."""
    return error["type"] == "missing" or naming_of(error) is not None


def reason_of(error: ErrorDetails, *, place: Place) -> str:
    """Say what is wrong, with the way to the entry in front."""
    steps = [str(step) for step in place if not isinstance(step, int)]
    if error["type"] == "extra_forbidden":
        steps = steps[:-1]
    where = ".".join(steps)
    return f"{where}: {_said(error)}" if where else _said(error)


def _said(error: ErrorDetails) -> str:
    worded = _WORDED.get(error["type"])
    if worded is not None:
        return worded(error)
    base = error["type"].removesuffix("_type").removesuffix("_parsing").removesuffix("_from_date")
    wanted = _KINDS.get(base)
    if wanted is None:
        return f"{error['msg'][:1].lower()}{error['msg'][1:]}, not {_shown(error['input'])}"
    return f"{wanted} is wanted, not {_shown(error['input'])}"


def _missing(error: ErrorDetails) -> str:
    return f"{error['loc'][-1]} is missing"


def _unknown(error: ErrorDetails) -> str:
    return f"{error['loc'][-1]} is not known here"


def _no_policy(error: ErrorDetails) -> str:
    tag, known = error["ctx"]["tag"], _names(error["ctx"]["expected_tags"])
    hint = near(tag, known) or f"; known are {', '.join(known)}"
    return f"{tag} is no policy{hint}"


def _nameless(_: ErrorDetails) -> str:
    return "the name of one policy is wanted, with its numbers below it"


def _refused(error: ErrorDetails) -> str:
    return str(error["ctx"]["error"])


def _none_of(error: ErrorDetails) -> str:
    given = error["input"]
    shown = given if isinstance(given, str) else _shown(given)
    return f"{shown} is not one of {', '.join(_names(error['ctx']['expected']))}"


def _out_of_range(error: ErrorDetails) -> str:
    ((bound, limit),) = error["ctx"].items()
    return f"{error['input']} is out of range: {_BOUNDS[bound]} {limit}"


def _too_few(_: ErrorDetails) -> str:
    return "at least one entry is wanted"


def _names(expected: str) -> list[str]:
    """Give the names in the validator's own list, `'a', 'b' or 'c'`."""
    return re.findall(r"'([^']+)'", expected)


def _shown(given: object) -> str:
    if given is None:
        return "nothing"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, dict):
        return "a mapping"
    if isinstance(given, list):
        return "a list"
    return f'"{given}"' if isinstance(given, str) else str(given)


_WORDED: dict[str, Callable[[ErrorDetails], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "union_tag_invalid": _no_policy,
    "union_tag_not_found": _nameless,
    "value_error": _refused,
    "literal_error": _none_of,
    "greater_than_equal": _out_of_range,
    "less_than_equal": _out_of_range,
    "too_short": _too_few,
}
