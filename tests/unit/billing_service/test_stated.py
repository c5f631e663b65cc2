"""Amounts stated beside own invoices: what is said against them, and when nothing is."""

import pytest

from services.billing.stated import evasion_doubts, underbilling_doubts
from tests.unit.billing_service.world import CONTRACT, World, a_contract, day


async def _world() -> World:
    """January and February are billed, at 1,774 and 2,500 yen before tax."""
    world = World()
    await a_contract(world)
    await world.run("2024-02-29")
    return world


@pytest.mark.parametrize(
    ("original", "billed", "correct", "doubts"),
    [
        pytest.param("2024-02-10", 2500, 2500, 0, id="as-billed"),
        pytest.param("2024-02-29", 2400, 2500, 1, id="another-bill"),
        pytest.param("2024-02-01", 2500, 2600, 1, id="other-terms"),
        pytest.param("2024-01-31", 1000, 2000, 2, id="neither"),
        pytest.param("2023-11-10", 1000, 2000, 0, id="before-this-system"),
        pytest.param("2024-05-10", 1000, 2000, 0, id="not-over-yet"),
    ],
)
async def test_an_underbilling_is_doubted_where_own_invoices_say_otherwise(
    original: str, billed: int, correct: int, doubts: int
) -> None:
    world = await _world()
    said = await underbilling_doubts(
        world.billing,
        CONTRACT,
        found_on=day("2024-05-10"),
        original_on=day(original),
        billed=billed,
        correct=correct,
    )
    assert len(said) == doubts


async def test_a_doubt_names_the_month_and_both_sums() -> None:
    world = await _world()
    said = await evasion_doubts(
        world.billing,
        CONTRACT,
        found_on=day("2024-05-10"),
        original_on=day("2024-02-10"),
        evaded=900,
    )
    assert said == ("the invoice of 2024-02 lacks 0 yen, not 900",)
