"""What all charging policies share: a name, clauses, and refusing what they do not know."""

from abc import ABC, abstractmethod

from pydantic import BaseModel, ConfigDict

from libs.terms.words import Prices, Sentence


class Policy(BaseModel, ABC):
    """The numbers of a policy as the terms state them; an unknown entry is refused.

    `prices_named` are the names of prices it needs in its own version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str

    @property
    def prices_named(self) -> tuple[str, ...]:
        """Prices that must stand in the version that names this policy."""
        return ()

    @abstractmethod
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        """Say what the policy does, with all its numbers; `prices` are those of its version."""
