"""The billing terms of every service, read once from the folder of terms."""

from pathlib import Path

from libs.terms.offered import services_in
from services.billing.domain.books import NoRules
from services.billing.domain.terms import BillingTerms, Settings, load_billing_terms


class TermsFolder:
    """The terms of all services in a folder; a wrong file is refused before anything is billed.

    Raises WrongTerms.
    """

    def __init__(self, folder: Path, *, settings: Settings | None = None) -> None:
        self._loaded = {
            service: load_billing_terms(service, folder=folder, settings=settings)
            for service in services_in(folder, section="billing")
        }

    def of(self, service: str) -> BillingTerms:
        """The terms of a service; raises NoRules where the folder has none."""
        if service not in self._loaded:
            raise NoRules(f"there are no terms for {service!r}")
        return self._loaded[service]
