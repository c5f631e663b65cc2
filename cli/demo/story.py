"""The story of the demonstration: the customers of one operator, from files beside this one."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from cli.play.plan import Step, plan
from cli.play.scenario import Scenario
from libs.dates.japan import japan_instant

FOLDER = Path(__file__).parent / "story"
_RUN = "run_invoices"
_DECEMBER = 12


class Declined(BaseModel):
    """The operator refuses the application on a ground of the terms."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: date
    ground: str


class Story(BaseModel):
    """One customer, what to call them, and the life of their contract."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    email: str = Field(min_length=1)
    title: str = Field(min_length=1)
    scenario: Scenario
    declined: Declined | None = None

    def details(self) -> dict[str, str]:
        """What the customer is registered with beside what the scenario says."""
        return {"name": self.name, "email": self.email, "billing_name": self.name}

    def steps(self, *, line_id: str) -> list[Step]:
        """The commands of this customer's story by time; invoices are run for all together."""
        steps = [s for s in plan(self.scenario, line_id=line_id).steps if s.operation != _RUN]
        if self.declined is None:
            return steps
        applying = [step for step in steps if step.operation in {"register_customer", "apply"}]
        declining = Step(
            at=japan_instant(self.declined.date),
            context="contracts",
            operation="decline",
            arguments={"declined_on": self.declined.date, "ground": self.declined.ground},
        )
        return [*applying, declining]


def read_stories(folder: Path = FOLDER) -> list[Story]:
    """The stories in the order of their files' names."""
    return [
        Story.model_validate(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(folder.glob("*.json"))
    ]


def billing_days(steps: Sequence[Step], *, through: str) -> list[date]:
    """The first of each month after the first acceptance, to that of the month after `through`."""
    accepted = [step.on for step in steps if step.operation == "approve"]
    day = _next_month(min(accepted).replace(day=1))
    last = _next_month(date.fromisoformat(f"{through}-01"))
    days = []
    while day <= last:
        days.append(day)
        day = _next_month(day)
    return days


def _next_month(first: date) -> date:
    return date(first.year + first.month // _DECEMBER, first.month % _DECEMBER + 1, 1)
