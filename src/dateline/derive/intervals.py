"""Which numbers a quantity admits, and how two quantities relate.

A quantity names a number and says how it is bounded. The numbers that it admits, with `t` the interval tolerance:

| comparator | says | admits |
|---|---|---|
| EXACT | exactly 22 | 22 |
| BARE | 22 | 22; where the text says to what step it is rounded, half a step to either side |
| APPROX, AROUND | about 22 | from 22 - t·22 to 22 + t·22 |
| APPROX, BELOW | nearly 22 | from 22 - t·22 up to, without, 22 |
| APPROX, ABOVE | just over 22 | from, without, 22 up to 22 + t·22 |
| LT, LE | fewer than 22, at most 22 | all below 22, without it or with it; there is no floor |
| GT, GE | more than 22, at least 22 | all above 22, without it or with it; there is no ceiling |
| RANGE | between 20 and 25 | from low to high, each with or without its end |
| VAGUE | many | nothing that can be said in numbers |

Whole things are counted in whole numbers: "fewer than 22" persons admits 21 and not 21.5, so it and "more than 21" share nothing.
The tolerance is the builder's, never the text's: only APPROX has one, and it is not rounded to whole numbers.

The relation of points compares the numbers named, which is what a headline does ("higher, at up to 12,000"); the relation of
intervals asks whether both can be true. They differ, and both are published: "up to 12,000" has no floor, so it can be true
together with anything below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

EXACT, BARE, APPROX, RANGE, VAGUE = "EXACT", "BARE", "APPROX", "RANGE", "VAGUE"
LESS, MORE = ("LT", "LE"), ("GT", "GE")
COMPARATORS = (EXACT, BARE, APPROX, *LESS, *MORE, RANGE, VAGUE)
POINT_RELATIONS = ("LOWER", "EQUAL", "HIGHER")
INTERVAL_RELATIONS = ("EQUAL", "COMPATIBLE", "DISJOINT")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as a text bounds it. All numbers are in one unit; `whole` says that whole things are counted."""

    comparator: str
    value: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    low_closed: bool | None = None
    high_closed: bool | None = None
    hedge_type: str | None = None
    rounding_unit: Decimal | None = None
    whole: bool = False

    def times(self, factor: Decimal) -> Amount:
        """The same amount in another unit, of which one of this unit holds `factor` (above zero)."""
        value, low, high, step = (
            None if n is None else n * factor for n in (self.value, self.low, self.high, self.rounding_unit)
        )
        return replace(self, value=value, low=low, high=high, rounding_unit=step, whole=self.whole and factor == 1)


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers from `low` to `high`; None is no bound. An end that is not closed is not one of them."""

    low: Decimal | None
    high: Decimal | None
    low_closed: bool = True
    high_closed: bool = True

    def __contains__(self, number: Decimal) -> bool:
        above = self.low is None or number > self.low or (self.low_closed and number == self.low)
        below = self.high is None or number < self.high or (self.high_closed and number == self.high)
        return above and below

    @property
    def empty(self) -> bool:
        """Whether it holds no number."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and not (self.low_closed and self.high_closed))

    def meet(self, other: Interval) -> Interval:
        """The numbers in both."""
        low, low_closed = max(((i.low, i.low_closed) for i in (self, other)), key=_as_floor)
        high, high_closed = min(((i.high, i.high_closed) for i in (self, other)), key=_as_ceiling)
        return Interval(low, high, low_closed, high_closed)

    def in_whole_numbers(self) -> Interval:
        """The same whole numbers, with closed ends."""
        low, high = self.low, self.high
        if low is not None and not self.low_closed:
            low = low.to_integral_value(rounding="ROUND_FLOOR") + 1
        if high is not None and not self.high_closed:
            high = high.to_integral_value(rounding="ROUND_CEILING") - 1
        return Interval(low, high)


def interval_of(amount: Amount, tolerance: Decimal) -> Interval | None:
    """The numbers that an amount admits; None for one that names none.

    `tolerance` is the share of the value by which an APPROX amount may be off.
    """
    found = _interval_of(amount, tolerance)
    return found.in_whole_numbers() if found and amount.whole else found


def _interval_of(amount: Amount, tolerance: Decimal) -> Interval | None:
    comparator, value = amount.comparator, amount.value
    if comparator == RANGE:
        if amount.low is None or amount.high is None:
            return None
        return Interval(amount.low, amount.high, amount.low_closed is not False, amount.high_closed is not False)
    if value is None or comparator == VAGUE:
        return None
    if comparator in LESS:
        return Interval(None, value, high_closed=comparator == "LE")
    if comparator in MORE:
        return Interval(value, None, low_closed=comparator == "GE")
    if comparator == APPROX:
        off = abs(value) * tolerance
        above, below = amount.hedge_type == "ABOVE", amount.hedge_type == "BELOW"
        return Interval(value if above else value - off, value if below else value + off, not above, not below)
    if comparator == BARE and amount.rounding_unit:
        return Interval(value - amount.rounding_unit / 2, value + amount.rounding_unit / 2)
    return Interval(value, value)


def interval_relation(a: Amount, b: Amount, tolerance: Decimal) -> str | None:
    """EQUAL if both admit the same numbers, DISJOINT if no number is admitted by both, else COMPATIBLE.

    None where one of them admits nothing that can be said in numbers.
    """
    first, second = interval_of(a, tolerance), interval_of(b, tolerance)
    if first is None or second is None:
        return None
    if first == second:
        return "EQUAL"
    return "DISJOINT" if first.meet(second).empty else "COMPATIBLE"


def point_relation(a: Amount, b: Amount) -> str | None:
    """How the number that `a` names stands to the one that `b` names: LOWER, EQUAL or HIGHER.

    A RANGE without a middle stands for all of its numbers: it is LOWER if all of them are, EQUAL to a RANGE with the same ends;
    None where that is open, and where nothing is named.
    """
    first, second = _named(a), _named(b)
    if first is None or second is None:
        return None
    if first == second:
        return "EQUAL"
    if first[1] < second[0]:
        return "LOWER"
    return "HIGHER" if first[0] > second[1] else None


def _named(amount: Amount) -> tuple[Decimal, Decimal] | None:
    if amount.comparator == VAGUE:
        return None
    if amount.value is not None:
        return amount.value, amount.value
    return None if amount.low is None or amount.high is None else (amount.low, amount.high)


def _as_floor(end: tuple[Decimal | None, bool]) -> tuple[bool, Decimal, bool]:
    number, closed = end
    return number is not None, number or Decimal(0), not closed


def _as_ceiling(end: tuple[Decimal | None, bool]) -> tuple[bool, Decimal, bool]:
    number, closed = end
    return number is None, number or Decimal(0), closed
