"""Trying again: what a server refuses for a moment, or a connection that breaks, is asked again, later and later.

For calls whose client does not do so itself, or gives up too soon. A server's `Retry-After` is honoured up to a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

T = TypeVar("T")
ATTEMPTS = 6
MOMENTARY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses of HTTP after which the same request may succeed."""
_LONGEST = 60.0
_backing_off = wait_exponential_jitter(multiplier=0.2, max=20, jitter=0.3)


def patiently(
    call: Callable[[], T], again: Callable[[BaseException], bool], after: Callable[[BaseException], float | None] | None = None
) -> T:
    """What `call` gives, asked again while it raises what `again` takes for momentary; `after` may say how long to wait."""

    def wait(state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        asked = after(fault) if after and fault else None
        return _backing_off(state) if asked is None else min(asked, _LONGEST)

    trying = Retrying(stop=stop_after_attempt(ATTEMPTS), wait=wait, retry=retry_if_exception(again), reraise=True)
    return trying(call)


def seconds_in(header: str | None) -> float | None:
    """What a `Retry-After` header says, in seconds; None if it says nothing, or a date."""
    return float(header) if header and header.strip().isdecimal() else None
