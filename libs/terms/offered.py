"""Which services there are terms for."""

from pathlib import Path

from libs.terms.files import TermsFile, read_entry, read_terms


def services_in(folder: Path, *, section: str) -> tuple[str, ...]:
    """The services, by name, whose terms in `folder` speak to a context.

    Files that are only extended are left out, and so are services whose terms have no such
    section: that context does not offer them. Raises WrongTerms for a file that cannot be read.
    """
    return tuple(
        service
        for service in services_of(folder)
        if speaks_to(section, terms=read_terms(service, folder=folder))
    )


def speaks_to(section: str, *, terms: TermsFile) -> bool:
    """Tell whether any version has the section; one that has it must have it from the first on."""
    return any(version.entry.at([section]) is not version.entry for version in terms.versions)


def services_of(folder: Path) -> tuple[str, ...]:
    """All services with a file in `folder`, by name. Raises WrongTerms for one that is no YAML."""
    return tuple(path.stem.upper() for path in sorted(folder.glob("*.yaml")) if _is_sold(path))


def _is_sold(path: Path) -> bool:
    """Tell whether a file is of a service, not only extended by others or of the law."""
    top = read_entry(path)
    return isinstance(top.value, dict) and "service" in top.value
