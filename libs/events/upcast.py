"""From the version in which an event was stored to the present one, a pure step at a time.

The log and Kafka keep each event as it was stored; readers take the steps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How the stored fields of one version become those of the next.

    `next_type` names the next version. `change` gets fields as JSON has them, personal ones still
    encrypted: such a field may be moved within its event only under its own name.
    """

    next_type: str
    change: Callable[[Fields], Fields]


STEPS: Mapping[str, Step] = MappingProxyType({})
"""The step that leads on from each old type; none yet, as every event is at its first version."""


def upcast(type_name: str, fields: Fields, *, steps: Mapping[str, Step]) -> tuple[str, Fields]:
    """Take every step that leads on from a stored type."""
    while (step := steps.get(type_name)) is not None:
        type_name, fields = step.next_type, step.change(fields)
    return type_name, fields
