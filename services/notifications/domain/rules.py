"""Which event is told to whom, by which channel, resting on which clauses: data of the terms."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from libs.events.envelope import Event
from libs.terms.clause import Clauses

Addressee = Literal["contact"]


class NoticeRule(BaseModel):
    """One event that is told to the customer's registered contact.

    `only` asks for values of the event's fields, `having` that fields have any: of another event
    nobody is told. `template` names the text under `templates/`; `article` is how the text cites
    the terms.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: str
    only: Mapping[str, str] = {}
    having: tuple[str, ...] = ()
    channel: Literal["mail"]
    addressee: Addressee
    template: str
    article: str
    clause: Clauses

    def tells(self, event: Event) -> bool:
        """Whether this event is told by the rule."""
        return (
            event.type == self.event
            and all(getattr(event, name, None) == value for name, value in self.only.items())
            and all(getattr(event, name, None) is not None for name in self.having)
        )


class NoticeTerms(BaseModel):
    """What the terms of a service say about notices; rules are keyed by their names, or none.

    `suspension_reasons` and `declining_reasons` word the grounds of a suspension, and of declining
    a change; of another its clause is told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service_name: str
    suspension_reasons: Mapping[str, str] = {}
    declining_reasons: Mapping[str, str] = {}
    notices: Mapping[str, NoticeRule] = {}

    def rules_for(self, event: Event) -> tuple[tuple[str, NoticeRule], ...]:
        """The rules, with their names, by which this event is told."""
        return tuple((name, rule) for name, rule in self.notices.items() if rule.tells(event))
