"""What a count says: how many of each, and what is wrong, in words."""

from collections.abc import Iterable
from dataclasses import dataclass, field

_SHOWN = 5


@dataclass(slots=True)
class Outcome:
    """Counts by what was counted, and complaints; without any, all is well."""

    counts: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def count(self, what: str, number: int) -> None:
        """Note how many there are."""
        self.counts[what] = number

    def wrong(self, what: str, cases: Iterable[object]) -> None:
        """Complain of `what`, with some of the cases, if there is any."""
        found = [str(case) for case in cases]
        if found:
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            self.complaints.append(f"{what}: {'; '.join(found[:_SHOWN])}{more}")
