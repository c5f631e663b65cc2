"""The monitoring section of the terms in sentences."""

from libs.terms.words import Said, count
from services.monitoring.terms import MonitoringTerms


def in_words(section: MonitoringTerms) -> tuple[Said, ...]:
    """Say what the section says of devices."""
    back = section.send_back
    if back is None:
        return ()
    if back.return_months is not None:
        within = f"{count(back.return_months, 'month')} from the day after the new one was shipped"
    else:
        within = f"{count(back.return_days or 0, 'day')} of the delivery of the new one"
    return (
        Said(
            heading="Devices",
            key="send_back",
            words=f"A broken device is replaced by send-back; it must be back within {within}.",
            clauses=back.clause,
            place=("send_back",),
        ),
    )
