"""How the worked examples of the clause catalogue are computed: one function a kind of example.

An example is `{fn, in, work, out}`: `fn` names the kind, `in` what is given, `out` what must come of
it, `work` the arithmetic for whoever reads it. A function registered for the kind takes exactly the
values of `in` by name and computes with the project's own code what `out` asks for.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

Compute = Callable[..., Mapping[str, Any]]

COMPUTED: dict[str, Compute] = {}


def example(fn: str) -> Callable[[Compute], Compute]:
    """Register what computes the examples of a kind; a kind has one function."""

    def register(compute: Compute) -> Compute:
        if fn in COMPUTED:
            raise ValueError(f"the examples of {fn} are computed already")
        COMPUTED[fn] = compute
        return compute

    return register


def as_written(value: Any) -> Any:
    """A value as the catalogue writes it: dates as text, sequences as lists."""
    match value:
        case date():
            return value.isoformat()
        case Mapping():
            return {key: as_written(each) for key, each in value.items()}
        case list() | tuple():
            return [as_written(each) for each in value]
        case _:
            return value
