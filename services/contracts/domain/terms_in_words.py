"""The contracts section of the terms in sentences, from the application to the end."""

from collections.abc import Callable, Iterable, Iterator

from libs.terms.words import Said, capital, count, listed, plain
from services.contracts.domain.terms import (
    Abolition,
    ContractTerms,
    CustomerTermination,
    OperatorGround,
    Rule,
)

_APPLICATION = "Application and approval"
_USE = "Use of the service"
_CHANGES = "Changes"
_SUSPENSION = "Suspension"
_BY_CUSTOMER = "End by the customer"
_BY_OPERATOR = "End by the operator"
_TERMS = "Terms and periods"
_NOTICE_BEFORE = "A notice goes before, unless it is urgent and cannot be avoided."
_LATE = "When a debt is late"
_WEEKS = {"monday-friday": "Monday to Friday", "monday-saturday": "Monday to Saturday"}
_CHANGES_IN_WORDS = {
    "addition": "Licences may be added",
    "replacement": "The content may be replaced by another as a whole",
    "partial-termination": "Licences may be given up in part",
    "option-added": "An option may be added",
    "option-removed": "An option may be ended by itself",
    "discount": "A discount of the monthly fee may be agreed",
    "device": "The device may be changed for another",
    "price": "Prices may be agreed by contract",
}
_TICKETS = {
    "config": "A ticket for a change of settings may be bought while the service is provided.",
    "question": "A ticket for a question may be bought while the service is provided.",
    "urgent": "A ticket for urgent help may be bought while the service is provided.",
}
_CONTENT = {
    "packs": "licence packs",
    "special_prices": "prices agreed by contract",
    "mac_registered": "whether it is registered for Mac",
    "wished_start_on": "the wished day of the start",
    "device": "the device",
    "licensed": "whether the device is licensed",
    "line": "the kind of line",
    "line_id": "the line",
    "billing_day": "the first day of the billing month",
    "plan": "the plan",
    "options": "options",
    "initial_fee": "the initial fee",
    "monthly_fee": "the monthly fee",
}


def in_words(section: ContractTerms) -> tuple[Said, ...]:
    """Say all that the section says of a contract's life."""
    parts: tuple[Callable[[ContractTerms], Iterator[Said]], ...] = (
        _application,
        _formation,
        _use,
        _changes,
        _suspension,
        _by_customer,
        _by_operator,
        _other_ends,
        _periods,
        _late,
    )
    return tuple(said for part in parts for said in part(section))


def _application(section: ContractTerms) -> Iterator[Said]:
    application = section.application
    place = ("application",)
    required = sorted(_CONTENT.get(name, plain(name)) for name in application.required)
    free = sorted(
        _CONTENT.get(name, plain(name)) for name in application.content - application.required
    )
    must = f"An application must state {listed(required)}." if required else "An application"
    may = f"may state {listed(free)}." if free else "states nothing else."
    words = f"{must} It {may}" if required else f"{must} {may}"
    yield _entry(_APPLICATION, "application", words, application.clause, place=place)
    for key, names in (
        ("devices", sorted(application.devices)),
        ("plans", sorted(application.plans)),
        ("pack_sizes", [f"{size:,}" for size in sorted(application.pack_sizes)]),
    ):
        if names:
            words = f"{capital(plain(key))} to choose from: {listed(names, last='or')}."
            yield _entry(_APPLICATION, key, words, None, place=(*place, key))
    yield from _rules(
        application.consents.items(),
        heading=_APPLICATION,
        place=(*place, "consents"),
        words="Without the applicant's consent “{name}” the application is not taken in.",
    )
    if days := application.billing_days:
        words = (
            f"The billing month starts on a day from {days.first} to {days.last} of the calendar "
            "month."
        )
        place_of_days = (*place, "billing_days")
        yield _entry(_APPLICATION, "billing_days", words, days.clause, place=place_of_days)


def _formation(section: ContractTerms) -> Iterator[Said]:
    yield from _rule(
        section.approval,
        "approval",
        "The contract is formed by the operator's approval.",
        heading=_APPLICATION,
    )
    yield from _rule(
        section.formation,
        "formation",
        "A complete application forms the contract by itself.",
        heading=_APPLICATION,
    )
    yield from _rules(
        section.declining.items(),
        heading=_APPLICATION,
        place=("declining",),
        words="On the ground “{name}” the operator may decline an application.",
    )
    yield from _rule(
        section.revocation,
        "revocation",
        "Where a ground to decline comes to light later, the operator may revoke the approval.",
        heading=_APPLICATION,
    )


def _use(section: ContractTerms) -> Iterator[Said]:
    for name, rule, words in (
        (
            "initial_work",
            section.initial_work,
            "The operator does the initial work on a day it sets.",
        ),
        ("start", section.start, "The service is provided from the day of its start on."),
        (
            "acceptance",
            section.acceptance,
            "The service is provided from the day on which the ordered work is accepted.",
        ),
    ):
        yield from _rule(rule, name, words, heading=_USE)


def _changes(section: ContractTerms) -> Iterator[Said]:
    for kind, rule in section.changes.items():
        words = f"{_CHANGES_IN_WORDS[kind]}, from the agreed day on."
        yield _entry(_CHANGES, f"changes {kind}", words, rule.clause, place=("changes", kind))
    yield from _rule(
        section.declining_changes,
        "declining_changes",
        "A change may be declined on the grounds on which an application is.",
        heading=_CHANGES,
    )
    for name, option in (section.options or {}).items():
        later = (
            " at the earliest from the 1st of the month after its application"
            if option.from_next_month
            else ""
        )
        words = f"The option “{plain(name)}” may be had{later}."
        yield _entry(_CHANGES, f"option {name}", words, option.clause, place=("options", name))
    for ticket, rule in section.tickets.items():
        place = ("tickets", ticket)
        yield _entry(_CHANGES, f"tickets {ticket}", _TICKETS[ticket], rule.clause, place=place)
    yield from _rule(
        section.billing_day,
        "billing_day",
        "The first day of the billing month may be moved.",
        heading=_CHANGES,
    )


def _suspension(section: ContractTerms) -> Iterator[Said]:
    suspension = section.suspension
    if suspension is None:
        return
    place = ("suspension",)
    longest = (
        f" for at most {count(suspension.longest_months, 'month')}"
        if suspension.longest_months is not None
        else " without a limit of time"
    )
    again = "" if suspension.renewable else "; the same ground does not start a second full period"
    yield _entry(
        _SUSPENSION,
        "suspension",
        f"The operator may suspend the service{longest}{again}.",
        suspension.clause,
        place=place,
    )
    words = _NOTICE_BEFORE if suspension.notice else "It takes effect at once."
    clause = suspension.notice.clause if suspension.notice else None
    place_of_it = (*place, "notice") if suspension.notice else place
    yield _entry(_SUSPENSION, "suspension notice", words, clause, place=place_of_it)
    when = "after a notice" if suspension.notice else "at once"
    yield from _rules(
        suspension.grounds.items(),
        heading=_SUSPENSION,
        place=(*place, "grounds"),
        words=f"On the ground “{{name}}” the operator may suspend the service {when}.",
    )


def _by_customer(section: ContractTerms) -> Iterator[Said]:
    rule = section.termination_by_customer
    place = ("termination_by_customer",)
    ways = {"by-form": _by_form, "on-request": _on_request, "by-notice": _by_notice}
    for number, (words, clause) in enumerate(ways[rule.way](rule)):
        key = f"termination by customer {number}"
        yield _entry(_BY_CUSTOMER, key, words, clause, place=place)
    if rule.ahead:
        yield _entry(
            _BY_CUSTOMER,
            "ahead",
            f"The customer asks at the latest {count(rule.ahead.business_days, 'business day')} "
            f"({_WEEKS[rule.week]}) before the desired day; a later request counts all the same.",
            rule.ahead.clause,
            place=(*place, "ahead"),
        )
    if rule.first_months:
        yield _entry(
            _BY_CUSTOMER,
            "first_months",
            f"In the first {count(rule.first_months.months, 'whole month')} after the acceptance a "
            "fee stands in for the notice.",
            rule.first_months.clause,
            place=(*place, "first_months"),
        )
    if rule.before_acceptance:
        yield _entry(
            _BY_CUSTOMER,
            "before_acceptance",
            "Before the work is accepted, the operator's loss is to be paid first.",
            rule.before_acceptance.clause,
            place=(*place, "before_acceptance"),
        )
    yield from _rules(
        rule.at_once.items(),
        heading=_BY_CUSTOMER,
        place=(*place, "at_once"),
        words="On the ground “{name}” the contract ends when the customer's notice arrives.",
    )


_Ways = Iterator[tuple[str, str | None]]


def _by_form(rule: CustomerTermination) -> _Ways:
    yield "The contract ends on the day that the customer's form states.", rule.clause
    yield "A day before the form's receipt becomes the day of the receipt.", rule.late_clause


def _on_request(rule: CustomerTermination) -> _Ways:
    yield "The contract ends on the desired day, once the operator has confirmed it.", rule.clause
    days = (
        f"{count(rule.business_days, 'business day')} ({_WEEKS[rule.week]}) after it"
        if rule.business_days
        else f"the day of the confirmation itself (business days are {_WEEKS[rule.week]})"
    )
    yield f"A desired day before the confirmation becomes {days}.", rule.late_clause


def _by_notice(rule: CustomerTermination) -> _Ways:
    months = count(rule.notice_months, "month")
    yield "The contract ends on the day that the customer's notice states.", rule.clause
    yield f"That is at the earliest {months} after the notice.", rule.late_clause


def _by_operator(section: ContractTerms) -> Iterator[Said]:
    for name, ground in section.termination_by_operator.items():
        words = f"On the ground “{plain(name)}” the operator may end the contract"
        words = f"{words}{_conditions(ground)}."
        place = ("termination_by_operator", name)
        yield _entry(_BY_OPERATOR, f"ground {name}", words, ground.clause, place=place)


def _conditions(ground: OperatorGround) -> str:
    days = ground.days_from_formation
    found = (
        ("after a notice, on the day after it or later", ground.notice),
        ("where it is urgent without the notice, for a recorded reason", ground.urgent),
        ("only while the cause of a suspension is not resolved", ground.after_suspension),
        ("only after a demand whose period has passed", ground.demand),
        (f"only in the {count(days or 0, 'day')} after formation", days is not None),
        ("only before the work is accepted", ground.before_acceptance),
        ("as one of antisocial relations", ground.antisocial),
    )
    said = [words for words, holds in found if holds]
    return f": {'; '.join(said)}" if said else ", at once"


def _other_ends(section: ContractTerms) -> Iterator[Said]:
    heading = "Other ends"
    if section.abolition:
        yield from _abolition(section.abolition, heading=heading)
    if line := section.line:
        ends = listed((plain(name) for name in sorted(line.ending)), last="or")
        words = f"The contract ends with the line contract: {ends} of it."
        yield _entry(heading, "line", words, line.clause, place=("line",))
        words = "It goes on where the line is moved or converted."
        yield _entry(heading, "line goes on", words, line.goes_on.clause, place=("line", "goes_on"))
        if line.one_contract:
            words = "One line carries one contract."
            place = ("line", "one_contract")
            yield _entry(heading, "line one", words, line.one_contract.clause, place=place)
    yield from _rule(
        section.contract_end,
        "contract_end",
        "The contract's last day is the end of the month in which its end was declared.",
        heading=heading,
    )


def _abolition(rule: Abolition, *, heading: str) -> Iterator[Said]:
    at = ("abolition",)
    words = "The operator may abolish the service."
    yield _entry(heading, "abolition", words, rule.decision, place=(*at, "decision"))
    words = "Every contract ends with the service."
    yield _entry(heading, "abolition ends", words, rule.clause, place=at)
    notice = rule.notice
    ahead = [
        count(number, unit)
        for number, unit in ((notice.months, "month"), (notice.days, "day"))
        if number
    ]
    urgent = ", or later for a recorded urgent reason" if notice.urgent else ""
    words = f"Every customer is told {listed(ahead)} ahead{urgent}."
    yield _entry(heading, "abolition notice", words, notice.clause, place=(*at, "notice"))
    if rule.plans:
        words = "A plan may be abolished by itself."
        yield _entry(heading, "abolition plans", words, rule.plans.clause, place=(*at, "plans"))
    if rule.applications:
        words = "Nothing is accepted that would begin on the day of the end or later."
        place = (*at, "applications")
        yield _entry(heading, "abolition later", words, rule.applications.clause, place=place)


def _periods(section: ContractTerms) -> Iterator[Said]:
    if minimum := section.minimum_term:
        words = (
            f"The minimum term is {count(minimum.months, 'month')} from the month after the start."
        )
        yield _entry(_TERMS, "minimum_term", words, minimum.clause, place=("minimum_term",))
    if maximum := section.maximum_period:
        for device, years in maximum.years.items():
            words = f"With {device} use lasts at most {count(years, 'year')} from its start."
            place = ("maximum_period", "years", device)
            yield _entry(_TERMS, f"period {device}", words, maximum.clause, place=place)
        words = "The day after that period the contract ends by itself."
        place_end = ("maximum_period", "end_clause")
        yield _entry(_TERMS, "period end", words, maximum.end_clause, place=place_end)
    if insurance := section.insurance:
        sizes = listed(f"{size:,}" for size in sorted(insurance.pack_sizes))
        words = (
            f"Licences first used from {insurance.first_used_from} to {insurance.first_used_to}, in "
            f"orders of fewer than {insurance.below_licences:,} and packs of {sizes}, carry the "
            f"telework insurance for {count(insurance.months, 'month')} from the month after first "
            "use, at the longest to the contract's end."
        )
        yield _entry(_TERMS, "insurance", words, insurance.clause, place=("insurance",))


def _late(section: ContractTerms) -> Iterator[Said]:
    if maturing := section.maturing:
        words = (
            "All debts of the contract fall due on the day on which one of these grounds arises."
        )
        yield _entry(_LATE, "maturing", words, maturing.clause, place=("maturing",))
        named = {each.clause: name for name, each in section.termination_by_operator.items()}
        for number, rule in maturing.grounds.items():
            known = f" (“{plain(named[rule.clause])}”)" if rule.clause in named else ""
            words = f"On ground {number}{known} all debts of the contract fall due that day."
            place = ("maturing", "grounds", number)
            yield _entry(_LATE, f"maturing {number}", words, rule.clause, place=place)
    if dunning := section.dunning:
        days = count(dunning.propose_after_days, "day")
        words = f"A suspension is proposed to the operator {days} after a debt was found late."
        yield _entry(_LATE, "dunning", words, dunning.clause, place=("dunning",))


def _rule(rule: Rule | None, name: str, words: str, *, heading: str) -> Iterator[Said]:
    if rule is not None:
        yield _entry(heading, name, words, rule.clause, place=(name,))


def _rules(
    rules: Iterable[tuple[str, Rule]], *, heading: str, place: tuple[str, ...], words: str
) -> Iterator[Said]:
    for name, rule in rules:
        told = words.format(name=plain(name))
        yield _entry(heading, f"{'.'.join(place)} {name}", told, rule.clause, place=(*place, name))


def _entry(
    heading: str, key: str, words: str, clause: str | None, *, place: tuple[str | int, ...]
) -> Said:
    clauses = () if clause is None else (clause,)
    return Said(heading=heading, key=key, words=words, clauses=clauses, place=place)
