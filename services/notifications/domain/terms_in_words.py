"""The notifications section of the terms in sentences."""

from collections.abc import Iterator

from libs.terms.words import Said, capital, plain
from services.notifications.domain.rules import NoticeRule, NoticeTerms

_HEADING = "Notices"
_ADDRESSEES = {"contact": "the customer's registered contact"}


def in_words(section: NoticeTerms) -> tuple[Said, ...]:
    """Say who is told what, and how a suspension is worded."""
    return (
        Said(
            heading=_HEADING,
            key="service_name",
            words=f"Notices call the service {section.service_name}.",
            place=("service_name",),
        ),
        *(_notice(name, rule) for name, rule in section.notices.items()),
        *_reasons(section),
    )


def _notice(name: str, rule: NoticeRule) -> Said:
    fact = plain(rule.event.split(".")[1])
    return Said(
        heading=_HEADING,
        key=f"notice {name}",
        words=f"{capital(plain(name))}: when “{fact}” is recorded, "
        f"{_only(rule)}{_ADDRESSEES[rule.addressee]} is told by {rule.channel}, citing {rule.article} (text "
        f"“{plain(rule.template)}”).",
        clauses=rule.clause,
        place=("notices", name),
    )


def _only(rule: NoticeRule) -> str:
    """For which of the facts, in words; of all of them nothing is said."""
    asked = [f"{plain(name)} {plain(value)}" for name, value in rule.only.items()]
    asked += [f"{plain(name)} given" for name in rule.having]
    return f"with {' and '.join(asked)}, " if asked else ""


def _reasons(section: NoticeTerms) -> Iterator[Said]:
    for ground, words in section.declining_reasons.items():
        yield Said(
            heading=_HEADING,
            key=f"declining {ground}",
            words=f"The reason “{plain(ground)}” of declining a change is worded: {words}",
            place=("declining_reasons", ground),
        )
    for ground, words in section.suspension_reasons.items():
        yield Said(
            heading=_HEADING,
            key=f"reason {ground}",
            words=f"The reason “{plain(ground)}” of a suspension is worded: {words}",
            place=("suspension_reasons", ground),
        )
