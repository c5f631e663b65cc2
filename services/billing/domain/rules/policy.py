"""What all charging policies share: a name, clauses, and refusing what they do not know."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Clauses = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""One clause id or several; a line cites them in this order."""


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
