"""The arithmetic of benchmarks."""

from collections.abc import Sequence

import orjson
import pytest

from benchmarks.measure import Bound, Part, Target, paired_ratio, percentile, thinned
from benchmarks.report import json_of, text_of


def test_a_ratio_is_the_middle_one_of_the_pairs_not_the_ratio_of_the_sums() -> None:
    # the second pair was disturbed, both of it alike; the third only on our side
    assert paired_ratio([100, 10, 20], [200, 20, 200]) == 0.5


def test_without_a_pair_there_is_no_ratio() -> None:
    with pytest.raises(ValueError, match="no pair"):
        paired_ratio([], [])


def test_pairs_must_be_whole() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired_ratio([1, 2], [1])


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        pytest.param([5.0], 50, 5.0, id="one value is all of them"),
        pytest.param([4.0, 1.0, 3.0, 2.0], 50, 2.0, id="half do not exceed the second"),
        pytest.param([3.0, 1.0, 2.0], 50, 2.0, id="the middle one"),
        pytest.param(list(range(1, 101)), 99, 99, id="one of a hundred exceeds the 99th"),
        pytest.param(list(range(1, 101)), 100, 100, id="the longest"),
        pytest.param(list(range(1, 11)), 99, 10, id="of ten, none may exceed it"),
        pytest.param([2.0, 1.0], 0, 1.0, id="none"),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(
    values: Sequence[float], percent: float, expected: float
) -> None:
    assert percentile(values, percent=percent) == expected


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no value"):
        percentile([], percent=50)


def test_thinned_values_keep_their_spread_and_the_longest() -> None:
    values = [float(number) for number in reversed(range(1, 1001))]
    few = thinned(values, most=10)
    assert few == [100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 900.0, 1000.0]
    assert thinned([2.0, 1.0], most=10) == [1.0, 2.0]


@pytest.mark.parametrize(
    ("bound", "measured", "met"),
    [
        pytest.param("at least", 0.49, False, id="below a lower bound"),
        pytest.param("at least", 0.5, True, id="at a lower bound"),
        pytest.param("at most", 0.5, True, id="at an upper bound"),
        pytest.param("at most", 0.51, False, id="above an upper bound"),
    ],
)
def test_a_target_is_met_up_to_its_limit(bound: Bound, measured: float, met: bool) -> None:
    target = Target(what="it", measured=measured, bound=bound, limit=0.5)
    assert target.met is met
    assert str(target).startswith("reached" if met else "MISSED")


PART = Part(
    name="append",
    title="Appending",
    notes=("how",),
    columns=("callers", "a second", "ratio"),
    rows=((8, 12345.6, 0.5), ("all", 9, 10.25)),
    targets=(Target(what="it", measured=0.4, bound="at least", limit=0.5),),
)


def test_a_part_is_told_in_aligned_columns_with_its_targets() -> None:
    assert text_of(PART).splitlines() == [
        "Appending",
        "  how",
        "",
        "  callers  a second  ratio",
        "  8          12,346   0.50",
        "  all             9  10.25",
        "",
        "  MISSED: it: 0.4, at least 0.5",
    ]


def test_the_figures_are_kept_with_what_was_reached() -> None:
    kept = orjson.loads(json_of([PART], command="./yk bench events", machine="two CPUs"))
    assert kept["command"] == "./yk bench events"
    (part,) = kept["parts"]
    assert part["rows"][0] == [8, 12345.6, 0.5]
    assert part["targets"] == [
        {"what": "it", "measured": 0.4, "bound": "at least", "limit": 0.5, "met": False}
    ]
