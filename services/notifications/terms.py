"""The notifications section of the terms of every service."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from libs.terms.files import read_terms
from libs.terms.in_force import InForce, section
from libs.terms.offered import services_in
from services.notifications.domain.rules import NoticeTerms

NoticeTermsOf = Callable[[str, date], NoticeTerms | None]
"""The notice terms of a service in force on a day; None for a service without terms here."""


def notice_terms(folder: Path) -> NoticeTermsOf:
    """The notice terms of all services in `folder`. Raises WrongTerms."""
    books: dict[str, InForce[NoticeTerms]] = {
        service: section(
            read_terms(service, folder=folder), name="notifications", model=NoticeTerms
        )
        for service in services_in(folder, section="notifications")
    }

    def terms_of(service: str, on: date) -> NoticeTerms | None:
        return books[service].at(on) if service in books else None

    return terms_of
