"""What a benchmark found, as text to read and as JSON to keep."""

from collections.abc import Sequence
from dataclasses import asdict

import orjson

from benchmarks.measure import Cell, Part

_LARGE = 100


def text_of(part: Part) -> str:
    """The part in plain words: title, notes, table, targets."""
    cells = [part.columns, *(tuple(map(_shown, row)) for row in part.rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(part.columns))]
    lines = [part.title, *(f"  {note}" for note in part.notes), ""]
    lines += ["  " + _line(row, widths=widths) for row in cells]
    lines += ["", *(f"  {target}" for target in part.targets), ""]
    return "\n".join(lines)


def json_of(parts: Sequence[Part], *, command: str, machine: str) -> bytes:
    """All parts with the command and the machine; each target says whether it was met."""
    found = [
        {
            **asdict(part),
            "targets": [{**asdict(target), "met": target.met} for target in part.targets],
        }
        for part in parts
    ]
    whole = {"command": command, "machine": machine, "parts": found}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2)


def _line(row: Sequence[str], *, widths: Sequence[int]) -> str:
    first, *others = row
    head, *tail = widths
    shown = [first.ljust(head), *(c.rjust(w) for c, w in zip(others, tail, strict=True))]
    return "  ".join(shown).rstrip()


def _shown(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= _LARGE:
        return f"{cell:,.0f}"
    return f"{cell:.2f}"
