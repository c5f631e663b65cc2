"""The views of contracts, each with the tables that it alone fills."""

from libs.events.log import Log
from libs.events.shadow import View
from services.contracts.domain.terms import Terms
from services.contracts.views import abolitions, contracts, deadlines, dunning, forgotten


def views(log: Log, *, terms: Terms) -> tuple[View, ...]:
    """All that follow the own log."""
    return (
        View(contracts.NAME, ("contract",), contracts.filling(log)),
        View(deadlines.NAME, ("deadline",), deadlines.filling(log, terms=terms)),
        View(dunning.NAME, ("dunning",), dunning.filling(log)),
        View(forgotten.NAME, ("forgotten_party",), forgotten.fill),
        View(abolitions.NAME, ("abolition",), abolitions.fill),
    )
