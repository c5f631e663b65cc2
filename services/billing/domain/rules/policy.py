"""What all charging policies share: a name, clauses, and refusing what they do not know."""

from pydantic import BaseModel, ConfigDict


class Policy(BaseModel):
    """The numbers of a policy as the terms state them; an unknown entry is refused.

    `prices_named` are the names of prices it needs in its own version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str

    @property
    def prices_named(self) -> tuple[str, ...]:
        """Prices that must stand in the version that names this policy."""
        return ()
