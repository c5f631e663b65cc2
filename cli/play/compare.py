"""Whether the result of a play agrees with what a case expects."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_BY_EXTRA = ("minimum_term", "maximum_period_last_day", "insurance", "contract_end")


def differences(expected: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    """What disagrees, one sentence each; empty when the result agrees.

    Every field that `expected` names must be equal. The order of lines, penalties and interest
    entries does not matter; an expected clause is met by the same or a finer one; of `extra` the
    four named entries must be there exactly when expected; `warnings` are not compared.
    """
    found: list[str] = []
    for name, wanted in expected.items():
        if name == "warnings":
            continue
        if name == "extra":
            found += _extra_differences(wanted, result.get("extra", {}))
        elif name in {"penalties", "late_interest"}:
            found += _unordered(name, wanted, result.get(name, []))
        elif name == "invoices":
            found += _invoice_differences(wanted, result.get("invoices", []))
        elif wanted != result.get(name):
            found.append(f"{name}: expected {wanted}, got {result.get(name)}")
    return found


def _extra_differences(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> list[str]:
    names = {*wanted, *(name for name in _BY_EXTRA if name in got)}
    return [
        f"extra.{name}: expected {wanted.get(name)}, got {got.get(name)}"
        for name in sorted(names)
        if wanted.get(name) != got.get(name)
    ]


def _invoice_differences(
    wanted: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]]
) -> list[str]:
    months = [invoice["month"] for invoice in wanted]
    if months != [invoice["month"] for invoice in got]:
        return [f"invoices: expected {months}, got {[invoice['month'] for invoice in got]}"]
    found: list[str] = []
    for one, other in zip(wanted, got, strict=True):
        place = f"invoice {one['month']}"
        for name, value in one.items():
            if name == "lines":
                found += _unordered(f"{place} lines", value, other["lines"])
            elif value != other.get(name):
                found.append(f"{place} {name}: expected {value}, got {other.get(name)}")
    return found


def _unordered(
    place: str, wanted: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]]
) -> list[str]:
    left = list(got)
    missing = []
    for one in wanted:
        match = next((other for other in left if _entry_agrees(one, other)), None)
        if match is None:
            missing.append(one)
        else:
            left.remove(match)
    return [f"{place}: expected {one}, not there" for one in missing] + [
        f"{place}: not expected {other}" for other in left
    ]


def _entry_agrees(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> bool:
    return all(
        _clause_met(value, got.get("clause", [])) if name == "clause" else value == got.get(name)
        for name, value in wanted.items()
    )


def _clause_met(wanted: str | Sequence[str], cited: str | Sequence[str]) -> bool:
    wanted_ids = [wanted] if isinstance(wanted, str) else wanted
    cited_ids = [cited] if isinstance(cited, str) else cited
    return all(any(_same_or_finer(one, other) for other in cited_ids) for one in wanted_ids)


def _same_or_finer(wanted: str, cited: str) -> bool:
    """`WUTM-28.2` is met by `WUTM-28.2.1`, `NSEC-14.5` by `NSEC-14.5a`, not 14.1 by 14.10."""
    if not cited.startswith(wanted):
        return False
    rest = cited[len(wanted) :]
    return re.match(r"($|\.|[a-z](?![0-9a-z]))", rest) is not None
