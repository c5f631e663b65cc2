"""The files in `terms/`: read, laid over what they extend, version by version, with their lines.

A file names its service, what it extends, and its versions by effective date. A version says what
changes; everything else stays as the version before has it, and what the extended file says holds
where the service's own file says nothing. `null` takes an entry away.
"""

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeGuard, cast

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from libs.terms.faults import Fault, WrongTerms, near, refuse

SECTIONS = ("billing", "contracts", "monitoring", "notifications")
"""The contexts that a version may speak to, each in a section of its own."""

FIRST_DAY_NAMED = "first_day_named"
"""Whether the terms name the day of their first version; if not, the day of the file is taken."""

_TOP = ("service", "extends", "versions")

_CLAUSE_ID = re.compile(r"^ *-? *id: *['\"]?([A-Z]+-[A-Za-z0-9.-]+)['\"]? *$", re.MULTILINE)


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
        """Give the entry below this one at a place, or the last on the way that exists.

        A step names a key as it is, as it is written, or as a validator shows it: the key 1 is
        found by `1`, a date by its `repr`.
        """
        entry = self
        for step in place:
            if isinstance(entry.value, dict):
                written = {word: entry.value[key] for key in entry.value for word in _shown(key)}
                entry = entry.value.get(step) or written.get(str(step), entry)
            elif isinstance(entry.value, list) and isinstance(step, int):
                entry = entry.value[step] if step < len(entry.value) else entry
        return entry

    def key_of(self, step: Hashable) -> Hashable:
        """Give the key that a step of `at` names, as it is in the file; else the step."""
        keys = self.value if isinstance(self.value, dict) else {}
        return next((key for key in keys if str(step) in _shown(key)), step)

    def naming(self, value: Hashable) -> "Entry":
        """Give the first entry below this one, itself included, that has this value; else itself."""
        return next((each for each in leaves(self) if each.value == value), self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """All that is in force from `effective_on` on, sections of every context included."""

    effective_on: date
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsFile:
    """The versions of one service, in order of their effective dates.

    `clauses` are the ids of all clauses in the catalogue beside the file.
    """

    service: str
    path: Path
    versions: tuple[Version, ...]
    clauses: frozenset[str]


def read_terms(service: str, *, folder: Path) -> TermsFile:
    """Read `<folder>/<service>.yaml`, the service's code in lower case, with what it extends.

    Raises WrongTerms with every fault of the file's shape, its dates and its clauses.
    """
    path = folder / f"{service.lower()}.yaml"
    top = read_entry(path)
    known = clause_ids(folder)
    refuse((*_faults_of_file(top, known=known), *_faults_of_name(top, service=service)))
    own = _stated_versions(top)
    base: tuple[Version, ...] = ()
    if extended := _mapping(top).get("extends"):
        base_path = folder / f"{extended.value}.yaml"
        if not base_path.is_file():
            refuse([_fault(extended, f"there is no file {base_path.name} to extend")])
        if "service" in _mapping(read_entry(base_path)):
            refuse([_fault(extended, f"{base_path.name} is of a service and cannot be extended")])
        base = read_shared(base_path, known=known)
        if base[0].effective_on > own[0].effective_on:
            refuse(
                [
                    _fault(
                        own[0].entry,
                        f"a hole: {service} begins on {own[0].effective_on}, what it extends "
                        f"on {base[0].effective_on}",
                    )
                ]
            )
    return TermsFile(
        service=service, path=path, versions=tuple(_laid_over(base, own=own)), clauses=known
    )


def read_shared(path: Path, *, known: frozenset[str]) -> tuple[Version, ...]:
    """Read the versions that several services extend, as they are stated. Raises WrongTerms."""
    top = read_entry(path)
    refuse(_faults_of_file(top, known=known))
    return _stated_versions(top)


def read_entry(path: Path) -> Entry:
    """Read a file as an entry.

    Raises WrongTerms where it is missing, no YAML, no mapping, or says something twice.
    """
    try:
        node = yaml.compose(path.read_bytes(), Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        raise WrongTerms(Fault(path, 1, "there is no such file")) from None
    except OSError as error:
        raise WrongTerms(Fault(path, 1, f"it cannot be read: {error.strerror}")) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise WrongTerms(Fault(path, line, f"no YAML: {error.problem}")) from error
    except yaml.reader.ReaderError as error:
        raise WrongTerms(Fault(path, 1, f"no YAML: {error.reason}")) from error
    if not isinstance(node, MappingNode):
        raise WrongTerms(Fault(path, 1, "a mapping is wanted"))
    faults: list[Fault] = []
    entry = _entry(node, path=path, faults=faults)
    refuse(faults)
    return entry


def clause_ids(folder: Path) -> frozenset[str]:
    """Give the ids of all clauses in the catalogue below `folder`."""
    return frozenset(
        found
        for path in sorted((folder / "clauses").glob("*.yaml"))
        for found in _CLAUSE_ID.findall(path.read_text("utf-8"))
    )


def _shown(key: Hashable) -> tuple[str, str]:
    return str(key), repr(key)


def leaves(entry: Entry) -> Iterator[Entry]:
    """Give every entry below this one that is neither mapping nor list, itself if it is such."""
    if isinstance(entry.value, dict):
        for each in entry.value.values():
            yield from leaves(each)
    elif isinstance(entry.value, list):
        for each in entry.value:
            yield from leaves(each)
    else:
        yield entry


def _entry(node: Node, *, path: Path, faults: list[Fault], within: tuple[Node, ...] = ()) -> Entry:
    line = node.start_mark.line + 1
    if any(node is each for each in within):
        faults.append(Fault(path, line, "it stands within itself, by an alias"))
        return Entry(None, path, line)
    within = (*within, node)
    if isinstance(node, SequenceNode):
        each_of = [_entry(each, path=path, faults=faults, within=within) for each in node.value]
        return Entry(each_of, path, line)
    if isinstance(node, MappingNode):
        found: dict[Hashable, Entry] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                faults.append(Fault(path, key_line, "a key is a word, a number or a date"))
                continue
            key = _scalar(key_node, faults=faults, path=path)
            if key in found:
                faults.append(Fault(path, key_line, f"{key} is said twice"))
                continue
            value = _entry(value_node, path=path, faults=faults, within=within)
            found[key] = Entry(value.value, path, key_line)
        return Entry(found, path, line)
    return Entry(_scalar(cast("ScalarNode", node), faults=faults, path=path), path, line)


def _scalar(node: ScalarNode, *, faults: list[Fault], path: Path) -> Hashable:
    loader = yaml.SafeLoader("")
    try:
        return cast("Hashable", loader.construct_object(node, deep=True))
    except (yaml.constructor.ConstructorError, ValueError):
        kind = node.tag.rpartition(":")[2].replace("timestamp", "date")
        faults.append(Fault(path, node.start_mark.line + 1, f"{node.value} is no {kind}"))
        return cast("str", node.value)
    finally:
        loader.dispose()


def _fault(entry: Entry, reason: str) -> Fault:
    return Fault(entry.path, entry.line, reason)


def _mapping(entry: Entry) -> dict[Hashable, Entry]:
    return entry.value if isinstance(entry.value, dict) else {}


def _faults_of_file(top: Entry, *, known: frozenset[str]) -> Iterator[Fault]:
    """Find what is wrong with a file whatever its sections say: keys, dates, clauses."""
    yield from _unknown_keys(top, known=_TOP)
    versions = _mapping(top).get("versions")
    if versions is None or not _mapping(versions):
        yield _fault(versions or top, "versions are missing")
        return
    before: date | None = None
    for on, version in _mapping(versions).items():
        if not _is_day(on):
            yield _fault(version, f"{on} is no effective date")
        elif before is not None and on <= before:
            reason = f"{on} overlaps {before}: versions stand in order of their dates"
            yield _fault(version, reason)
        else:
            before = on
        yield from _faults_of_version(version, known=known)
    for version in list(_mapping(versions).values())[1:]:
        if FIRST_DAY_NAMED in _mapping(version):
            stated = _mapping(version)[FIRST_DAY_NAMED]
            yield _fault(stated, f"{FIRST_DAY_NAMED} is said of the first version only")


def _is_day(value: Hashable) -> TypeGuard[date]:
    return isinstance(value, date) and not isinstance(value, datetime)


def _faults_of_version(version: Entry, *, known: frozenset[str]) -> Iterator[Fault]:
    if not isinstance(version.value, dict):
        yield _fault(version, "a mapping is wanted: what changes from this day on")
        return
    yield from _unknown_keys(version, known=("clause", FIRST_DAY_NAMED, *SECTIONS))
    named = version.value.get(FIRST_DAY_NAMED)
    if named is not None and not isinstance(named.value, bool):
        yield _fault(named, f"{FIRST_DAY_NAMED} is true or false")
    for leaf in leaves(version.value.get("clause", Entry([], version.path, version.line))):
        if leaf.value not in known:
            yield _fault(leaf, f"{leaf.value} is no clause of the catalogue")


def _unknown_keys(entry: Entry, *, known: tuple[str, ...]) -> Iterator[Fault]:
    for key, each in _mapping(entry).items():
        if key not in known:
            yield _fault(each, f"{key} is not known here{near(str(key), known)}")


def _faults_of_name(top: Entry, *, service: str) -> Iterator[Fault]:
    stated = _mapping(top).get("service")
    if stated is None:
        yield _fault(top, f"service is missing: it is {service}")
    elif stated.value != service:
        yield _fault(stated, f"service is not {service}, as the name of the file says")
    extended = _mapping(top).get("extends")
    if extended is not None and not isinstance(extended.value, str):
        yield _fault(extended, "extends names a file beside this one, without .yaml")


def _stated_versions(top: Entry) -> tuple[Version, ...]:
    versions = _mapping(_mapping(top)["versions"])
    return tuple(
        Version(effective_on=on, entry=entry) for on, entry in versions.items() if _is_day(on)
    )


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
