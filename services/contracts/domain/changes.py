"""Changes of what a contract is for, and of the day its billing months start."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from libs.events.vocabulary.contracts import (
    BillingMonthChanged,
    Content,
    ContentChanged,
    ContractFactCorrected,
)
from services.contracts.domain.applications import (
    Events,
    application_id,
    check_content,
    known,
    living_on,
)
from services.contracts.domain.facts import Facts, Life, by_day, content_on, decided
from services.contracts.domain.periods import first_of_next_month
from services.contracts.domain.refusals import (
    NotEnoughToRemove,
    NothingChanges,
    NotOfThisService,
)
from services.contracts.domain.terms import ChangeKind, ContractTerms

_SAYING_MORE = frozenset({"discount", "price"})
REBASED = "an earlier change was recorded or put right after this one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A wish to change the content; only the fields of its kind are given.

    `packs` is what is added, what is removed, or the whole new content, by kind.
    """

    kind: ChangeKind
    effective_on: date
    packs: Mapping[int, int] = field(default_factory=dict)
    option: str | None = None
    device: str | None = None
    licensed: bool | None = None
    monthly_discount: int | None = None
    special_prices: Mapping[int, int] | None = None
    applied_on: date | None = None
    initial_fee: int | None = None
    monthly_fee: int | None = None


def change_content(life: Life, *, change: Change, terms: ContractTerms) -> Events:
    """Change the content from a day on, that day included; a backdated change moves later ones.

    Later changes of content that were recorded before are corrected to rest on this one. Refused
    where the terms know no such change, or there is not enough to remove. An option that has to
    be applied for ahead begins no earlier than the 1st of the month after its application.

    Clauses: NSEC-11.1 (partial termination by the customer), WUTM-10.1, WUTM-10.2, NSEC-A3.N8,
    RRNS-9 (a change or an addition takes effect with its own acceptance), RRNS-13.3.
    """
    if change.kind not in terms.changes:
        raise NotOfThisService(f"the service knows no {change.kind}", field="/kind")
    clause = terms.changes[change.kind].clause
    change = _not_ahead(change, terms=terms)
    living = living_on(life, change.effective_on, clause=clause)
    before = content_on(life.facts, change.effective_on)
    after = _after(before, change=change, clause=clause)
    check_content(after, terms=terms.application)
    if after == before and change.kind not in _SAYING_MORE and change.initial_fee is None:
        return ()
    changed = ContentChanged(
        contract_id=application_id(living),
        effective_on=change.effective_on,
        kind=change.kind,
        before=before,
        after=after,
        option=change.option,
        applied_on=change.applied_on,
        initial_fee=change.initial_fee,
        monthly_fee=change.monthly_fee,
        monthly_discount=change.monthly_discount,
    )
    return (changed, *rebased((*life.facts, *decided(changed))))


def _not_ahead(change: Change, *, terms: ContractTerms) -> Change:
    if change.option is None or terms.options is None:
        return change
    if change.option not in terms.options:
        raise NotOfThisService(f"the service knows no option {change.option}", field="/option")
    ahead = terms.options[change.option].from_next_month
    if change.kind != "option-added" or not ahead or change.applied_on is None:
        return change
    earliest_on = first_of_next_month(change.applied_on)
    return replace(change, effective_on=max(change.effective_on, earliest_on))


def change_billing_day(
    life: Life, *, start_day: int, from_on: date, terms: ContractTerms
) -> Events:
    """From `from_on`, a day with the number `start_day`, billing months start on that day.

    Clauses: WUTM-28.4, WSRV-28.4.
    """
    clause = known(terms.billing_day, what="change of the billing month").clause
    living = living_on(life, from_on, clause=clause)
    if from_on.day != start_day:
        raise NotOfThisService(
            "the first day of the new cycle is not its start day", clause=clause, field="/from_on"
        )
    check_content(Content(billing_day=start_day), terms=terms.application)
    changed = BillingMonthChanged(
        contract_id=application_id(living), start_day=start_day, from_on=from_on
    )
    return () if any(fact.event == changed for fact in life.facts) else (changed,)


def rebased(facts: Facts) -> tuple[ContractFactCorrected, ...]:
    """The corrections by which every recorded change rests on the content before it."""
    return tuple(_rebased(facts))


def _rebased(facts: Facts) -> Iterator[ContractFactCorrected]:
    content = content_on(facts, date.min)
    for fact in by_day(facts):
        if not isinstance(fact.event, ContentChanged):
            continue
        after = _moved(fact.event, content)
        if (fact.event.before, fact.event.after) != (content, after) and fact.event_id:
            yield ContractFactCorrected(
                contract_id=fact.event.contract_id,
                corrects=fact.event_id,
                values={
                    "before": content.model_dump(mode="json"),
                    "after": after.model_dump(mode="json"),
                },
                reason=REBASED,
            )
        content = after


def facts_with(life: Life, events: Events) -> Facts:
    """The facts of a contract once these events are recorded too."""
    new = decided(*(event for event in events if not isinstance(event, ContractFactCorrected)))
    return with_changes_rebased((*life.facts, *new))


def with_changes_rebased(facts: Facts) -> Facts:
    """The facts as they stand once the corrections of `rebased` are made."""
    values = {each.corrects: each.values or {} for each in rebased(facts)}
    return tuple(
        fact.with_values(values[fact.event_id])
        if fact.event_id is not None and fact.event_id in values
        else fact
        for fact in facts
    )


def _after(before: Content, *, change: Change, clause: str) -> Content:
    match change.kind:
        case "addition" | "partial-termination":
            _named(change.packs, pointer="/packs")
            sign = 1 if change.kind == "addition" else -1
            packs = _sum(before.packs, {size: sign * n for size, n in change.packs.items()})
            if any(count < 0 for count in packs.values()):
                raise NotEnoughToRemove(clause=clause, field="/packs")
            return before.model_copy(update={"packs": packs})
        case "replacement":
            _named(change.packs or change.monthly_fee is not None, pointer="/packs")
            return before.model_copy(update=_replaced(change))
        case "option-added" | "option-removed":
            _named(change.option, pointer="/option")
            return before.model_copy(update={"options": _options(before, change=change)})
        case "device":
            _named((change.device, change.licensed), pointer="/device")
            wanted = {"device": change.device, "licensed": change.licensed}
            given = {name: value for name, value in wanted.items() if value is not None}
            return before.model_copy(update=given)
        case "discount":
            _named(change.monthly_discount is not None, pointer="/monthly_discount")
            return before
        case "price":
            _named(change.special_prices, pointer="/special_prices")
            return before.model_copy(update={"special_prices": dict(change.special_prices or {})})


def _named(given: object, *, pointer: str) -> None:
    if not given or given == (None, None):
        raise NothingChanges(field=pointer)


def _replaced(change: Change) -> dict[str, Any]:
    if change.monthly_fee is None:
        return {"packs": _sum(change.packs, {})}
    return {"monthly_fee": change.monthly_fee}


def _options(before: Content, *, change: Change) -> tuple[str, ...]:
    others = tuple(option for option in before.options if option != change.option)
    if change.kind == "option-added":
        return (*others, change.option or "")
    if change.option not in before.options:
        raise NotEnoughToRemove(f"there is no option {change.option}", field="/option")
    return others


def _moved(event: ContentChanged, before: Content) -> Content:  # noqa: PLR0911 - one case a kind
    """What a recorded change makes of another content before it."""
    match event.kind:
        case "addition" | "partial-termination":
            less = {size: -count for size, count in event.before.packs.items()}
            packs = _sum(before.packs, _sum(event.after.packs, less))
            return before.model_copy(update={"packs": packs})
        case "replacement":
            fee = event.monthly_fee
            update = {"packs": event.after.packs} if fee is None else {"monthly_fee": fee}
            return before.model_copy(update=update)
        case "option-added":
            return before.model_copy(
                update={"options": tuple(dict.fromkeys((*before.options, event.option or "")))}
            )
        case "option-removed":
            return before.model_copy(
                update={"options": tuple(o for o in before.options if o != event.option)}
            )
        case "device":
            return before.model_copy(
                update={"device": event.after.device, "licensed": event.after.licensed}
            )
        case "discount":
            return before
        case "price":
            return before.model_copy(update={"special_prices": event.after.special_prices})


def _sum(one: Mapping[int, int], other: Mapping[int, int]) -> dict[int, int]:
    sizes = sorted({*one, *other})
    total = {size: one.get(size, 0) + other.get(size, 0) for size in sizes}
    return {size: count for size, count in total.items() if count}
