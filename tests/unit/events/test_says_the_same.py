"""What a view kept of an event agrees with it though its type has gained fields since."""

import pytest

from libs.events.reconcile_views import says_the_same


@pytest.mark.parametrize(
    ("kept", "made", "same"),
    [
        pytest.param({"a": 1}, {"a": 1}, True, id="equal"),
        pytest.param({"a": 1}, {"a": 1, "b": None}, True, id="a new field, unsaid"),
        pytest.param({"a": 1}, {"a": 1, "b": []}, True, id="a new list, empty"),
        pytest.param({"a": 1}, {"a": 1, "b": 5}, False, id="a field that is lost"),
        pytest.param({"a": 1, "b": None}, {"a": 1}, False, id="a field nobody knows"),
        pytest.param({"a": 1}, {"a": 2}, False, id="another value"),
        pytest.param({"l": [{"a": 1}]}, {"l": [{"a": 1, "b": None}]}, True, id="within a list"),
        pytest.param({"l": [{"a": 1}]}, {"l": [{"a": 2}]}, False, id="another within a list"),
        pytest.param({"l": [1]}, {"l": [1, 1]}, False, id="a longer list"),
        pytest.param({"l": [1, 2]}, {"l": [1]}, False, id="a shorter list"),
    ],
)
def test_fields_that_came_later_are_no_difference(
    kept: object, made: object, *, same: bool
) -> None:
    assert says_the_same(kept, made) is same
