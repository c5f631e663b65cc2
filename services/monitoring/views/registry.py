"""The views of monitoring, each with the tables that it alone fills."""

from libs.events.log import Log
from libs.events.shadow import View
from services.monitoring.views import sites


def views(log: Log) -> tuple[View, ...]:
    """All that follow the own log."""
    return (View(sites.NAME, ("site", "outage"), sites.filling(log)),)
