"""Lives of contracts in the scenarios' format, drawn so that days fall where months break.

A life is not always lawful: what the terms refuse is left out by whoever plays it, as in a
scenario. It lies in one of the `ERAS`: one has a leap day and amendments, the other another leap
day and a change of the tax rate.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

from cli.play.scenario import Scenario, read_scenario

SERVICES = ("MYSEC", "CAS", "SSD", "WUTM", "WSRV", "RRNS", "NQMS")
ONE_DAY = timedelta(days=1)


class Era(NamedTuple):
    """Days in which lives lie, both included; the last is the last of a month."""

    first: date
    last: date

    @property
    def through(self) -> str:
        """The last month to bill."""
        return self.last.isoformat()[:7]


ERAS = (Era(date(2023, 11, 20), date(2024, 6, 30)), Era(date(2019, 7, 20), date(2020, 2, 29)))

Kinds = Mapping[str, Callable[[date], st.SearchStrategy[dict[str, Any]]]]


def days(first: date, last: date) -> st.SearchStrategy[date]:
    """A day of a span, both included; twice as often one on which months break."""
    span = [first + timedelta(days=each) for each in range((last - first).days + 1)]
    edges = [day for day in span if day.day in {1, 2, 11} or (day + ONE_DAY).day in {1, 2, 11}]
    edges += [day for day in span if (day.month, day.day) == (2, 29)]
    at_edges = st.sampled_from(edges or span)
    return st.one_of(at_edges, at_edges, st.dates(min_value=first, max_value=last))


def _packs(least: int = 0) -> st.SearchStrategy[dict[str, int]]:
    counts = st.integers(min_value=least, max_value=7)
    return st.dictionaries(st.sampled_from(["1", "10", "100", "1000"]), counts, min_size=1)


def _event(name: str, on: date, /, **fields: Any) -> dict[str, Any]:
    given = {key.rstrip("_"): value for key, value in fields.items() if value is not None}
    return {"type": name, "date": on.isoformat(), **given}


def _plain(name: str, /, **choices: st.SearchStrategy[Any]) -> Callable[[date], Any]:
    """An event of a kind whose fields are drawn each by itself."""

    def at(on: date) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(choices).map(lambda fields: _event(name, on, **fields))

    return at


def _outage(on: date) -> st.SearchStrategy[dict[str, Any]]:
    @st.composite
    def outage(draw: st.DrawFn) -> dict[str, Any]:
        hour = draw(st.integers(min_value=0, max_value=23))
        lasts = draw(st.sampled_from([23, 24, 25, 47, 48, 49, 80, 200]))
        told = draw(st.sampled_from([0, 0, 0, 5, 24, 900]))
        begins = date.toordinal(on) * 24 + hour
        return _event(
            "outage",
            on,
            from_=_hour(begins),
            to=_hour(begins + lasts),
            known_at=_hour(begins + told),
            fault=draw(st.sampled_from(["provider", "provider_gross", "third_party", "customer"])),
            complete=draw(st.sampled_from([True, True, True, False])),
            incident=draw(st.sampled_from([None, "one"])),
        )

    return outage()


def _hour(hours: int) -> str:
    return f"{date.fromordinal(hours // 24).isoformat()}T{hours % 24:02}:00"


def _relief_days(on: date) -> st.SearchStrategy[dict[str, Any]]:
    return st.integers(min_value=0, max_value=40).map(
        lambda length: _event(
            "disaster_relief",
            on,
            from_=on.isoformat(),
            to=(on + timedelta(days=length)).isoformat(),
        )
    )


def _new_cycle(on: date) -> st.SearchStrategy[dict[str, Any]]:
    first = on if on.day <= 28 else on.replace(day=28)
    return st.just(_event("billing_day_changed", first, billing_day=first.day))


def _bought_option(on: date) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(["report", "config"]).map(
        lambda name: _event(
            "option_added", on, option=name, applied=on.isoformat() if name == "report" else None
        )
    )


def _request(on: date) -> st.SearchStrategy[dict[str, Any]]:
    wait = st.sampled_from([0, 0, 1, 4, 20])
    return st.tuples(wait, wait).map(
        lambda waits: _event(
            "termination_requested",
            on,
            desired=(on + timedelta(days=waits[0])).isoformat(),
            confirmed=(on + timedelta(days=waits[1])).isoformat(),
        )
    )


def _notice(on: date) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from([0, 10, 31, 60]).map(
        lambda wait: _event(
            "cancel_requested",
            on,
            desired=(on + timedelta(days=wait)).isoformat(),
            cancellation_fee=30_000,
            actual_damage=35_000,
            loss_amount=0,
        )
    )


_YEN = st.sampled_from([0, 1, 99, 100, 777, 2_500, 12_345])
_PAID = {"amount": st.sampled_from([None, 1, 1_000, 50_000])}
_PAYMENT = _plain("payment", **_PAID)
_SUSPENSION: Kinds = {"suspended": _plain("suspended"), "resumed": _plain("resumed")}
_LICENCES: Kinds = {
    "added": _plain("licence_added", packs=_packs(1)),
    "removed": _plain("licence_removed", packs=_packs(1)),
    "replaced": _plain("plan_changed", packs=_packs()),
    "costs": _plain("actual_cost", kind=st.sampled_from(["repair", "disclosure"]), amount=_YEN),
    "paid": _PAYMENT,
    "outage": _outage,
    **_SUSPENSION,
}
_WEST: Kinds = {
    "discount": _plain("discount_changed", monthly_discount=_YEN),
    "cycle": _new_cycle,
    "relief": _relief_days,
    "share": _plain("disaster_relief", percent=st.integers(min_value=1, max_value=100)),
    "sum": _plain("disaster_relief", amount=_YEN),
    "paper": _plain("qualified_invoice_requested", copies=st.integers(1, 3)),
    "certificate": _plain("certificate_requested", postage=_YEN),
    "reissue": _plain("invoice_reissued", reason=st.sampled_from(["customer", "company"])),
    "evasion": _plain("evasion_found", evaded=_YEN),
    "conversion": _plain("line_converted"),
    "paid": _PAYMENT,
    "outage": _outage,
    **_SUSPENSION,
}
KINDS: Mapping[str, Kinds] = {
    "MYSEC": _LICENCES,
    "CAS": _LICENCES,
    "SSD": {
        "option": _bought_option,
        "no option": _plain("option_removed", option=st.sampled_from(["report", "config"])),
        "ticket": _plain(
            "ticket_bought",
            ticket=st.sampled_from(["config", "question", "urgent"]),
            quantity=st.integers(1, 3),
        ),
        "paid": _PAYMENT,
        **_SUSPENSION,
    },
    "WUTM": {
        **_WEST,
        "device": _plain("device_changed", licensed=st.booleans()),
        "lost": _plain("device_not_returned", replacement_cost=_YEN),
    },
    "WSRV": {
        **_WEST,
        "repair": _plain(
            "onsite_repair",
            time=st.sampled_from(["08:59", "09:00", "17:00", "23:00"]),
            urgent=st.booleans(),
            actual_cost=_YEN,
        ),
    },
    "RRNS": {
        "order": _plain("plan_changed", monthly=_YEN, initial=_YEN),
        "option": _plain("option_added", option=st.just("vpn"), monthly=_YEN, initial=_YEN),
        "visit": _plain(
            "visit", distance_km=st.sampled_from([50, 51]), minutes=st.just(60), surcharge=_YEN
        ),
        "costs": _plain("actual_cost", kind=st.sampled_from(["attendance", "work"]), amount=_YEN),
        "paid": _PAYMENT,
    },
    "NQMS": {"paid": _PAYMENT, "outage": _outage},
}
"""By service, what may happen in the middle of a life."""

ENDS: Mapping[str, Kinds] = {
    "MYSEC": {"end": _plain("terminated"), "gone": _plain("service_abolished")},
    "CAS": {"end": _plain("terminated"), "gone": _plain("service_abolished")},
    "SSD": {"end": _plain("terminated"), "gone": _plain("service_abolished")},
    "WUTM": {"end": _request, "line": _plain("line_terminated")},
    "WSRV": {"end": _request, "line": _plain("line_terminated")},
    "RRNS": {"end": _notice, "breach": _plain("terminated")},
    "NQMS": {"end": _plain("terminated")},
}
"""By service, how a life may end."""

_CYCLE = {"billing_day": st.sampled_from([1, 1, 2, 11, 28])}
_CONTRACTS: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    "MYSEC": {"packs": _packs(1)},
    "CAS": {"packs": _packs(1)},
    "SSD": {},
    "WUTM": {
        "device": st.sampled_from(["SSB5", "SSB10"]),
        "licensed": st.sampled_from([False, False, False, True]),
        "line": st.sampled_from(["collab", "flets"]),
        **_CYCLE,
    },
    "WSRV": {"device": st.sampled_from(["OS2", "OS Pro 4"]), **_CYCLE},
    "RRNS": {"initial_fee": _YEN, "monthly_fee": st.sampled_from([9_800, 12_345])},
    "NQMS": {"monthly_fee": st.sampled_from([1_000, 3_333]), **_CYCLE},
}
_METHODS = st.sampled_from(
    ["invoice", "account_transfer_notice", "account_transfer", "credit_card"]
)


def some(kinds: Kinds, on: st.SearchStrategy[date]) -> st.SearchStrategy[dict[str, Any]]:
    """One of these kinds of event, on one of these days."""
    return st.tuples(st.sampled_from(sorted(kinds)), on).flatmap(
        lambda drawn: kinds[drawn[0]](drawn[1])
    )


@st.composite
def documents(draw: st.DrawFn, service: str) -> dict[str, Any]:
    """A scenario as a file would hold it: a start, up to six things that happen, often an end."""
    era = draw(st.sampled_from(ERAS))
    started = draw(days(era.first, era.last - timedelta(days=90)))
    approved = started - timedelta(days=draw(st.sampled_from([0, 0, 1, 15])))
    begins = "accepted" if service == "RRNS" else "service_started"
    events = [_event("approved", approved), _event(begins, started)]
    later = days(started, era.last)
    events += draw(st.lists(some(KINDS[service], later), max_size=6))
    if draw(st.sampled_from([True, True, False])):
        events.append(draw(some(ENDS[service], st.one_of(later, later, st.just(started)))))
    months = sorted({(started + timedelta(days=31 * each)).isoformat()[:7] for each in range(4)})
    agreed = draw(st.dictionaries(st.sampled_from(months), later.map(date.isoformat), max_size=3))
    return {
        "service": service,
        "customer": {"corporate": draw(st.booleans()), "payment_method": draw(_METHODS)},
        "contract": draw(st.fixed_dictionaries(dict(_CONTRACTS[service]))),
        "events": events,
        "due_dates": agreed,
        "through": era.through,
    }


def lives(service: str) -> st.SearchStrategy[Scenario]:
    """The life of one contract of a service."""
    return documents(service).map(read_scenario)
