"""The monitoring section of the terms of every service."""

from datetime import date
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from libs.terms.clause import Clauses
from libs.terms.files import read_terms
from libs.terms.in_force import InForce, section
from libs.terms.numbers import Days, Months
from libs.terms.offered import services_in
from services.monitoring.domain.devices import SwapTerms
from services.monitoring.use_cases import SwapTermsOf


class SendBack(BaseModel):
    """Replacement by send-back: the time within which the broken device is back.

    Either `return_days` from the delivery of the new one, or whole `return_months` from the day
    after its shipment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    return_days: Days | None = None
    return_months: Months | None = None
    clause: Clauses

    @model_validator(mode="after")
    def _one_period(self) -> Self:
        if (self.return_days is None) == (self.return_months is None):
            raise ValueError("the time is given either in return_days or in return_months")
        return self


class MonitoringTerms(BaseModel):
    """What the terms of a service say to monitoring; what is left out it does not offer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    send_back: SendBack | None = None


def swap_terms(folder: Path) -> SwapTermsOf:
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
        return SwapTerms(
            return_days=send_back.return_days,
            return_months=send_back.return_months,
            clause=send_back.clause,
        )

    return terms_of
