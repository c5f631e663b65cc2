"""Which event is told to whom, by which channel, resting on which clauses: data of the terms."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from libs.terms.clause import Clauses

Addressee = Literal["contact"]


class NoticeRule(BaseModel):
    """One event that is told to the customer's registered contact.

    `template` names the text under `templates/`; `article` is how the text cites the terms.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: str
    channel: Literal["mail"]
    addressee: Addressee
    template: str
    article: str
    clause: Clauses


class NoticeTerms(BaseModel):
    """What the terms of a service say about notices; rules are keyed by their names, or none.

    `suspension_reasons` words the grounds of a suspension; of another its clause is told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service_name: str
    suspension_reasons: Mapping[str, str] = {}
    notices: Mapping[str, NoticeRule] = {}

    def rules_for(self, event: str) -> tuple[tuple[str, NoticeRule], ...]:
        """The rules, with their names, by which an event of this type is told."""
        return tuple((name, rule) for name, rule in self.notices.items() if rule.event == event)
