"""Every event class by its type, and the types of each context: the closed vocabulary."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType, ModuleType

from libs.events.envelope import Event
from libs.events.vocabulary import billing, contracts, monitoring, notifications

MODULES = (contracts, billing, monitoring, notifications)


def type_of(declared: type[Event]) -> str:
    """The type string an event class declares."""
    return str(declared.model_fields["type"].default)


def context_of(type_name: str) -> str:
    """The context that owns a type, as its name says."""
    return type_name.partition(".")[0]


def declared_in(module: ModuleType) -> tuple[type[Event], ...]:
    """The event classes of one vocabulary module, in the order of declaration."""
    return tuple(
        item
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Event) and item.__module__ == module.__name__
    )


def by_type(classes: Iterable[type[Event]]) -> Mapping[str, type[Event]]:
    """The classes keyed by type; raises ValueError when two declare the same."""
    found: dict[str, type[Event]] = {}
    for declared in classes:
        if found.setdefault(type_of(declared), declared) is not declared:
            message = f"two events declare the type {type_of(declared)}"
            raise ValueError(message)
    return MappingProxyType(found)


EVENTS = by_type(declared for module in MODULES for declared in declared_in(module))

CONTEXTS = tuple(module.__name__.rpartition(".")[2] for module in MODULES)
