"""The billing terms of every service, read once from the folder of terms."""

from pathlib import Path

from services.billing.domain.books import NoRules
from services.billing.domain.terms import BillingTerms, Settings, load_billing_terms


class TermsFolder:
    """Loads a service's terms when they are first asked for; raises WrongTerms for a wrong file."""

    def __init__(self, folder: Path, *, settings: Settings | None = None) -> None:
        self._folder = folder
        self._settings = settings
        self._loaded: dict[str, BillingTerms] = {}

    def of(self, service: str) -> BillingTerms:
        """The terms of a service; raises NoRules where the folder has none."""
        if service not in self._loaded:
            if not service.isalnum() or not (self._folder / f"{service.lower()}.yaml").is_file():
                raise NoRules(f"there are no terms for {service!r}")
            self._loaded[service] = load_billing_terms(
                service, folder=self._folder, settings=self._settings
            )
        return self._loaded[service]
