"""The independent counter: its own SQL and its own consumer; nothing here knows `libs.events`."""

from cli.chaos.count_effects import count_effects
from cli.chaos.count_log import count_log
from cli.chaos.count_topics import count_topics
from cli.chaos.evidence import Evidence
from cli.chaos.outcome import Outcome


def count(evidence: Evidence) -> Outcome:
    """Acknowledged = in the log = on the topic = in effect; or in words where not."""
    outcome = Outcome()
    count_log(evidence, outcome)
    count_topics(evidence, outcome)
    count_effects(evidence, outcome)
    return outcome
