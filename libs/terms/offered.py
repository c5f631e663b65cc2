"""Which services there are terms for."""

from pathlib import Path

from libs.terms.files import read_entry


def services_in(folder: Path) -> tuple[str, ...]:
    """The services that `folder` holds terms of, by name; files only extended are left out.

    Raises WrongTerms for a file that cannot be read.
    """
    found: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        top = read_entry(path)
        stated = top.value.get("service") if isinstance(top.value, dict) else None
        if stated is not None and stated.value == path.stem.upper():
            found.append(path.stem.upper())
    return tuple(found)
