"""The files in `terms/`: read, laid over what they extend, version by version, with their lines.

A file names its service, what it extends, and its versions by effective date. A version says what
changes; everything else stays as the version before has it, and what the extended file says holds
where the service's own file says nothing. `null` takes an entry away.
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

CLAUSE_KEYS = frozenset({"clause", "clauses"})

_CLAUSE_ID = re.compile(r"^ *-? *id: *['\"]?([A-Z]+-[A-Za-z0-9.-]+)['\"]? *$", re.MULTILINE)


class WrongTerms(ValueError):
    """A file in `terms/` cannot be right; says the file, the line and the reason."""

    def __init__(self, reason: str, *, path: Path, line: int) -> None:
        super().__init__(f"{path}:{line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a file and where it stands; the values of mappings and lists are entries too."""

    value: Hashable | dict[Hashable, "Entry"] | list["Entry"]
    path: Path
    line: int

    def plain(self) -> object:
        """Give the value without places."""
        if isinstance(self.value, dict):
            return {key: each.plain() for key, each in self.value.items()}
        if isinstance(self.value, list):
            return [each.plain() for each in self.value]
        return self.value

    def at(self, place: Iterable[Hashable]) -> "Entry":
        """Give the entry below this one at a place, or the last on the way that exists."""
        entry = self
        for step in place:
            if isinstance(entry.value, dict):
                entry = entry.value.get(step, entry)
            elif isinstance(entry.value, list) and isinstance(step, int):
                entry = entry.value[step] if step < len(entry.value) else entry
        return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """All that is in force from `effective_on` on, sections of every context included."""

    effective_on: date
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsFile:
    """The versions of one service, in order of their effective dates."""

    service: str
    path: Path
    versions: tuple[Version, ...]


def read_terms(service: str, *, folder: Path) -> TermsFile:
    """Read `<folder>/<service>.yaml`, the service's code in lower case, with what it extends.

    Raises WrongTerms.
    """
    path = folder / f"{service.lower()}.yaml"
    top = read_entry(path)
    known = clause_ids(folder)
    _refuse_unknown_clauses(top, known=known)
    if _text(top, "service") != service:
        raise WrongTerms(f"service is not {service}", path=path, line=top.line)
    own = _stated_versions(top)
    base: tuple[Version, ...] = ()
    if "extends" in _mapping(top):
        base_top = read_entry(folder / f"{_text(top, 'extends')}.yaml")
        _refuse_unknown_clauses(base_top, known=known)
        base = _stated_versions(base_top)
        if base[0].effective_on > own[0].effective_on:
            raise WrongTerms(
                f"a hole: {service} begins on {own[0].effective_on}, what it extends "
                f"on {base[0].effective_on}",
                path=path,
                line=own[0].entry.line,
            )
    return TermsFile(service=service, path=path, versions=tuple(_laid_over(base, own=own)))


def read_entry(path: Path) -> Entry:
    """Read a file as an entry. Raises WrongTerms where it is missing or no YAML."""
    try:
        node = yaml.compose(path.read_bytes(), Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        raise WrongTerms("there is no such file", path=path, line=1) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise WrongTerms(f"no YAML: {error.problem}", path=path, line=line) from error
    if not isinstance(node, MappingNode):
        raise WrongTerms("a mapping is wanted", path=path, line=1)
    return _entry(node, path=path)


def clause_ids(folder: Path) -> frozenset[str]:
    """Give the ids of all clauses in the catalogue below `folder`."""
    return frozenset(
        found
        for path in sorted((folder / "clauses").glob("*.yaml"))
        for found in _CLAUSE_ID.findall(path.read_text("utf-8"))
    )


def _entry(node: Node, *, path: Path) -> Entry:
    line = node.start_mark.line + 1
    if isinstance(node, SequenceNode):
        return Entry([_entry(each, path=path) for each in node.value], path, line)
    if isinstance(node, MappingNode):
        found: dict[Hashable, Entry] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node)
            key_line = key_node.start_mark.line + 1
            if key in found:
                raise WrongTerms(f"{key} is said twice", path=path, line=key_line)
            value = _entry(value_node, path=path)
            found[key] = Entry(value.value, path, key_line)
        return Entry(found, path, line)
    return Entry(_scalar(node), path, line)


def _scalar(node: Node) -> Hashable:
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_object(node, deep=True)
    finally:
        loader.dispose()
    assert isinstance(node, ScalarNode)
    assert isinstance(value, Hashable)
    return value


def _mapping(entry: Entry) -> dict[Hashable, Entry]:
    if not isinstance(entry.value, dict):
        raise WrongTerms("a mapping is wanted", path=entry.path, line=entry.line)
    return entry.value


def _text(entry: Entry, key: str) -> str:
    found = _mapping(entry).get(key)
    if found is None or not isinstance(found.value, str):
        raise WrongTerms(f"{key} is missing", path=entry.path, line=entry.line)
    return found.value


def _stated_versions(top: Entry) -> tuple[Version, ...]:
    versions = _mapping(top).get("versions")
    if versions is None or not _mapping(versions):
        raise WrongTerms("versions are missing", path=top.path, line=top.line)
    found: list[Version] = []
    for key, entry in _mapping(versions).items():
        if not isinstance(key, date):
            raise WrongTerms(f"{key} is no effective date", path=entry.path, line=entry.line)
        if found and key <= found[-1].effective_on:
            raise WrongTerms(
                f"{key} overlaps {found[-1].effective_on}: versions stand in order of their dates",
                path=entry.path,
                line=entry.line,
            )
        found.append(Version(effective_on=key, entry=entry))
    return tuple(found)


def _laid_over(base: tuple[Version, ...], *, own: tuple[Version, ...]) -> Iterator[Version]:
    dates = {version.effective_on for version in (*base, *own)}
    for on in sorted(each for each in dates if each >= own[0].effective_on):
        layers = [
            version.entry
            for stated in (base, own)
            for version in stated
            if version.effective_on <= on
        ]
        entry = layers[0]
        for layer in layers[1:]:
            entry = _merged(entry, over=layer)
        yield Version(effective_on=on, entry=entry)


def _merged(entry: Entry, *, over: Entry) -> Entry:
    """Lay an entry over another: mappings by key, everything else as a whole."""
    if not (isinstance(entry.value, dict) and isinstance(over.value, dict)):
        return over
    result = dict(entry.value)
    for key, value in over.value.items():
        if value.value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result[key], over=value) if key in result else value
    return Entry(result, over.path, over.line)


def _refuse_unknown_clauses(entry: Entry, *, known: frozenset[str]) -> None:
    if isinstance(entry.value, list):
        for each in entry.value:
            _refuse_unknown_clauses(each, known=known)
    elif isinstance(entry.value, dict):
        for key, each in entry.value.items():
            if key not in CLAUSE_KEYS:
                _refuse_unknown_clauses(each, known=known)
                continue
            for leaf in _leaves(each):
                if leaf.value not in known:
                    raise WrongTerms(
                        f"{leaf.value} is no clause of the catalogue",
                        path=leaf.path,
                        line=leaf.line,
                    )


def _leaves(entry: Entry) -> Iterator[Entry]:
    if isinstance(entry.value, Mapping):
        for each in entry.value.values():
            yield from _leaves(each)
    elif isinstance(entry.value, list):
        for each in entry.value:
            yield from _leaves(each)
    else:
        yield entry
