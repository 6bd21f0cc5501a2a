"""expectations/waivers.toml: findings that somebody has looked at and lets pass, for a reason, until a day.

[[waivers]]
rule = "quantities-number-value"
rows = ["kestrel-20300201-0123456789ab#q3"]   # left out: a fault of the whole table
owner = "who answers for it"
reason = "why it may stand"
expires = 2030-06-30                          # the last day on which it holds
"""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass, fields
from typing import Any

from dateline.errors import SuiteError

NAME = "waivers.toml"


@dataclass(frozen=True)
class Waiver:
    """Rows (all named, none by pattern) in which one rule may be broken. Without rows: a fault of the table as a whole."""

    rule: str
    owner: str
    reason: str
    expires: datetime.date
    rows: tuple[str, ...] = ()
    table: str = ""

    def as_json(self) -> dict[str, Any]:
        """What reports say of it."""
        return {"owner": self.owner, "reason": self.reason, "expires": self.expires.isoformat()}


def waivers_from(raw: bytes, file: str, today: datetime.date) -> list[Waiver]:
    """The waivers that a file holds.

    Raises SuiteError for a file that is no list of waivers, and for one that has expired: it must be renewed or removed.
    """
    try:
        written = tomllib.loads(raw.decode()).get("waivers", [])
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise SuiteError(f"{file}: is not valid TOML: {fault}") from None
    if not isinstance(written, list):
        raise SuiteError(f"{file}: waivers is no list; each begins with [[waivers]]")
    return [_waiver(entry, f"{file} waivers[{number}]", today) for number, entry in enumerate(written)]


def _waiver(entry: Any, where: str, today: datetime.date) -> Waiver:
    names = {f.name for f in fields(Waiver)}
    if not isinstance(entry, dict) or entry.keys() - names:
        unknown = ", ".join(sorted(entry.keys() - names)) if isinstance(entry, dict) else "no table"
        raise SuiteError(f"{where}: has {unknown}; a waiver says rule, rows, owner, reason, expires, and table where it must")
    for name in ("rule", "owner", "reason"):
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            raise SuiteError(f"{where}: lacks {name}; a waiver says rule, rows, owner, reason and expires")
    expires, rows, table = entry.get("expires"), entry.get("rows", []), entry.get("table", "")
    if not isinstance(expires, datetime.date) or isinstance(expires, datetime.datetime):
        raise SuiteError(f"{where}: expires is {expires!r}, but must be a day, such as 2030-06-30")
    if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows) or not isinstance(table, str):
        raise SuiteError(f"{where}: rows must be a list of row ids (article_id#local), table a name")
    if expires < today:
        raise SuiteError(
            f"{where}: the waiver of {entry['rule']} by {entry['owner']} expired on {expires}; mend the rows, or renew it"
        )
    return Waiver(entry["rule"], entry["owner"], entry["reason"], expires, tuple(rows), table)
