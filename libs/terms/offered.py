"""Which services there are terms for."""

from pathlib import Path

from libs.terms.files import read_entry, read_terms


def services_in(folder: Path, *, section: str) -> tuple[str, ...]:
    """The services, by name, whose terms in `folder` speak to a context from their first day on.

    Files that are only extended are left out, and so are services whose terms have no such
    section: that context does not offer them. Raises WrongTerms for a file that cannot be read.
    """
    found: list[str] = []
    for service in services_of(folder):
        first = read_terms(service, folder=folder).versions[0].entry
        if first.at([section]) is not first:
            found.append(service)
    return tuple(found)


def services_of(folder: Path) -> tuple[str, ...]:
    """All services with a file in `folder`, by name. Raises WrongTerms for one that is no YAML."""
    return tuple(path.stem.upper() for path in sorted(folder.glob("*.yaml")) if _is_sold(path))


def _is_sold(path: Path) -> bool:
    """Tell whether a file is of a service, not only extended by others or of the law."""
    top = read_entry(path)
    return isinstance(top.value, dict) and "service" in top.value
