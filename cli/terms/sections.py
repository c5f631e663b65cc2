"""Which context owns which section of the terms, and the model it is validated by."""

from pydantic import BaseModel

from services.billing.domain.terms import BillingSection
from services.contracts.domain.terms import ContractTerms
from services.monitoring.terms import MonitoringTerms
from services.notifications.domain.rules import NoticeTerms

MODELS: dict[str, type[BaseModel]] = {
    "billing": BillingSection,
    "contracts": ContractTerms,
    "monitoring": MonitoringTerms,
    "notifications": NoticeTerms,
}
