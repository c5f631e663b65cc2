"""Whole yen, exact fractions, and the one cut."""

from fractions import Fraction
from typing import NewType

Yen = NewType("Yen", int)


def cut_to_yen(amount: Fraction | int) -> Yen:
    """Cut an exact amount to whole yen towards zero, so a credit is cut in its absolute value."""
    return (
        Yen(amount.numerator // amount.denominator)
        if amount >= 0
        else Yen(-(-amount.numerator // amount.denominator))
    )
