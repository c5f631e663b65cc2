"""The billing section of the terms: frozen models of what `terms/<service>.yaml` may say."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerInterest:
    """Interest of former terms on debts due before the present article: 1/1000 a year."""

    permille: int
    grace_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may set otherwise; None keeps what the terms or the tables say."""

    lone_interest: str = "hold"
    statutory_rates: tuple[tuple[date, int], ...] | None = None
    former_interest: FormerInterest | None = None


class BillingTerms:
    """The billing terms of one service: its versions by effective date, and Japan's rates."""


def load_billing_terms(
    service: str, *, folder: Path, settings: Settings | None = None
) -> BillingTerms:
    """Read `<folder>/<service>.yaml` with what it extends, and `<folder>/japan.yaml`.

    Raises WrongTerms with file, line and reason.
    """
    raise NotImplementedError
