"""The monitoring section of the terms in sentences."""

from libs.terms.words import Said, count
from services.monitoring.terms import MonitoringTerms


def in_words(section: MonitoringTerms) -> tuple[Said, ...]:
    """Say what the section says of devices."""
    if section.send_back is None:
        return ()
    return (
        Said(
            heading="Devices",
            key="send_back",
            words="A broken device is replaced by send-back; it must be back within "
            f"{count(section.send_back.return_days, 'day')} of the delivery of the new one.",
            clauses=section.send_back.clause,
            place=("send_back",),
        ),
    )
