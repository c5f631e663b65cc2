"""Which services there are terms for."""

from pathlib import Path

from libs.terms.files import read_entry, read_terms


def services_in(folder: Path, *, section: str) -> tuple[str, ...]:
    """The services, by name, whose terms in `folder` speak to a context from their first day on.

    Files that are only extended are left out, and so are services whose terms have no such
    section: that context does not offer them. Raises WrongTerms for a file that cannot be read.
    """
    found: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        top = read_entry(path)
        stated = top.value.get("service") if isinstance(top.value, dict) else None
        if stated is not None and stated.value == path.stem.upper():
            first = read_terms(path.stem.upper(), folder=folder).versions[0].entry
            if first.at([section]) is not first:
                found.append(path.stem.upper())
    return tuple(found)
