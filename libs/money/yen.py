"""Whole yen, exact fractions, and the one cut."""

from fractions import Fraction
from typing import NewType

Yen = NewType("Yen", int)


def cut_to_yen(amount: Fraction | int) -> Yen:
    """Cut an exact amount to whole yen towards zero, so a credit is cut in its absolute value.

    Clauses: NSEC-14.8a, WUTM-29, WSRV-29 (a fraction below one yen is cut off).
    """
    return (
        Yen(amount.numerator // amount.denominator)
        if amount >= 0
        else Yen(-(-amount.numerator // amount.denominator))
    )
