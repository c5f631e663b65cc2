"""The monitoring section of the terms of every service."""

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from libs.terms.clause import Clauses
from libs.terms.files import read_terms
from libs.terms.in_force import InForce, section
from libs.terms.numbers import Days
from libs.terms.offered import services_in
from services.monitoring.domain.devices import SwapTerms
from services.monitoring.use_cases import SwapTermsOf

FOLDER = Path(__file__).resolve().parents[2] / "terms"


class SendBack(BaseModel):
    """Replacement by send-back: days from delivery within which the broken device is back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    return_days: Days
    clause: Clauses


class MonitoringTerms(BaseModel):
    """What the terms of a service say to monitoring; what is left out it does not offer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    send_back: SendBack | None = None


def swap_terms(folder: Path = FOLDER) -> SwapTermsOf:
    """The swap terms of all services in `folder`. Raises WrongTerms."""
    books: dict[str, InForce[MonitoringTerms]] = {
        service: section(
            read_terms(service, folder=folder), name="monitoring", model=MonitoringTerms
        )
        for service in services_in(folder, section="monitoring")
    }

    def terms_of(service: str, on: date) -> SwapTerms | None:
        if service not in books:
            return None
        send_back = books[service].at(on).send_back
        if send_back is None:
            return None
        return SwapTerms(return_days=send_back.return_days, clause=send_back.clause)

    return terms_of
