"""RESULTS.md: a section for each kind of run, written anew by the run itself. Pure but for `put`."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from measure import Taken

_HEAD = """# Results

Written by the scripts of this folder, with `--write`; [README.md](README.md) says what is measured. The numbers of one section
are of one run, on a machine that others used, too: its ratios count, not its seconds.
"""
_PACKAGES = ("dateline", "great_expectations", "duckdb", "pandas", "pyarrow")

Runs = Mapping[str, Mapping[str, Sequence[Taken]]]
Answers = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]


@dataclass(frozen=True)
class Section:
    """One section: the heading, by which a later run of the same kind replaces it, and what stands under it."""

    heading: str
    body: str

    @property
    def text(self) -> str:
        """The section as Markdown."""
        return f"## {self.heading}\n\n{self.body}"


def put(file: Path, section: Section) -> None:
    """Put a section into a file of results, in the place of the one of the same heading."""
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    kept = dict(re.findall(r"^## ([^\n]*)\n\n(.*?)\s*(?=^## |\Z)", before, re.MULTILINE | re.DOTALL))
    kept[section.heading] = section.body.strip()
    text = "\n".join([_HEAD, *(f"## {heading}\n\n{body}\n" for heading, body in kept.items())])
    file.write_text(text, encoding="utf-8")


def section(
    said: argparse.Namespace,
    names: Mapping[str, str],
    imports: Sequence[Taken],
    runs: Runs,
    answers: Answers,
    unlike: Sequence[str],
) -> Section:
    """What a run found: what each contender took, whether they agree, which gates are met."""
    costs = {table: Costs(imports, taken) for table, taken in runs.items()}
    lines = [_circumstances(said), ""]
    if imports:
        lines += [f"The import of Great Expectations alone: {costs_line(imports)}.", ""]
    for table, cost in costs.items():
        lines += [*_table(table, names, cost), ""]
    lines += [*_agreement(answers, unlike), *(f"    - {line}" for line in unlike), ""]
    lines += gates(costs["good"], said.within) if "good" in costs else []
    return Section(f"{said.rows:,} rows, memory limit {said.memory_limit}: {', '.join(names)}", "\n".join(lines).strip() + "\n")


def _circumstances(said: argparse.Namespace) -> str:
    packages = [*_PACKAGES, "pyspark"] if "spark" in said.contenders else _PACKAGES
    rounds = "one round" if said.repeat == 1 else f"medians of {said.repeat} rounds on the good table, one on the faulty one"
    return f"{machine(packages)}; seed {said.seed}, {rounds}."


def machine(packages: Iterable[str]) -> str:
    """The day, the machine, and the versions of Python and of packages."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{today()}; {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}; "
        f"Python {platform.python_version()}, {', '.join(f'{p} {version(p)}' for p in packages)}"
    )


def today() -> datetime.date:
    """The day in UTC; SOURCE_DATE_EPOCH sets another."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = int(epoch) if epoch.isdecimal() else None
    now = datetime.datetime.now(datetime.UTC)
    return (now if moment is None else datetime.datetime.fromtimestamp(moment, datetime.UTC)).date()


# ---- costs ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Costs:
    """Medians of what contenders took on one table; `imports` is what importing Great Expectations takes."""

    imports: Sequence[Taken]
    taken: Mapping[str, Sequence[Taken]]

    def wall(self, name: str, *, net: bool = False) -> float:
        """Wall seconds; net of the import of Great Expectations, where the contender does it."""
        return _median(self.taken[name], _wall) - (_median(self.imports, _wall) if net and name != "sql" else 0)

    def cpu(self, name: str, *, net: bool = False) -> float:
        """CPU seconds, all cores together."""
        return _median(self.taken[name], _cpu) - (_median(self.imports, _cpu) if net and name != "sql" else 0)

    def peak(self, name: str) -> float:
        """The largest resident set, in bytes."""
        return _median(self.taken[name], _peak)


def costs_line(runs: Sequence[Taken]) -> str:
    """Wall, CPU and memory of one thing, in words."""
    return f"{_median(runs, _wall):.1f} s wall, {_median(runs, _cpu):.1f} s CPU, {_median(runs, _peak) / 1e9:.2f} GB"


def _table(table: str, names: Mapping[str, str], costs: Costs) -> list[str]:
    base = "dateline" if "dateline" in names else next(iter(names))
    lines = [
        f"| the {table} table | wall s | CPU s | peak GB | wall, in {base}'s | CPU, in {base}'s | both without the import |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, says in names.items():
        if name == "spark":  # its JVM is a process that nobody counts
            lines.append(f"| {says} | {costs.wall(name):.1f} |  |  | {_times(costs.wall, name, base)} |  |  |")
            continue
        net = ", ".join(_times(each, name, base, net=True) for each in (costs.wall, costs.cpu))
        lines.append(
            f"| {says} | {costs.wall(name):.1f} | {costs.cpu(name):.1f} | {costs.peak(name) / 1e9:.2f} "
            f"| {_times(costs.wall, name, base)} | {_times(costs.cpu, name, base)} | {net} |"
        )
    return lines


def _times(what: Callable[..., float], name: str, base: str, net: bool = False) -> str:
    """How many times what the base took; nothing where that drowns in the noise of the import."""
    mine, least = what(name, net=net), what(base, net=net)
    return f"{mine / least:.2f}" if min(mine, least) > 0 else "-"


def _median(runs: Iterable[Taken], what: Callable[[Taken], float]) -> float:
    return statistics.median(map(what, runs))


def _wall(one: Taken) -> float:
    return one.seconds


def _cpu(one: Taken) -> float:
    return one.cpu


def _peak(one: Taken) -> float:
    return one.peak


# ---- verdicts ------------------------------------------------------------------------------------------------


def _agreement(answers: Answers, unlike: Sequence[str]) -> list[str]:
    lines = []
    for table, given in answers.items():
        first = next(iter(given.values()))
        failed = sum(not answer["success"] for answer in first)
        lines.append(f"- the {table} table: {len(first)} expectations, {failed} failed, as {next(iter(given))} has it")
    if len(next(iter(answers.values()))) > 1:
        lines.append(
            f"- **they disagree** in {len(unlike)} places:" if unlike else "- verdicts, counts and observed values are equal"
        )
    return lines


def gates(costs: Costs, within: str) -> list[str]:
    """What Dateline is to reach, and whether it did; only what this run can tell."""
    lines = []
    if {"dateline", "pandas"} <= costs.taken.keys():
        faster = costs.wall("pandas") / costs.wall("dateline")
        memory = costs.peak("dateline") / costs.peak("pandas")
        cpu = costs.cpu("pandas") / costs.cpu("dateline")
        says = (
            f"at least 3 times as fast as pandas, loading and imports included: {faster:.2f} times by the clock, {cpu:.2f} by CPU"
        )
        lines.append(_gate(faster >= 3, says))
        lines.append(_gate(memory <= 0.5, f"at most half of the memory of pandas: {memory:.2f} of it"))
    if "dateline" in costs.taken:
        peak, limit = costs.peak("dateline"), in_bytes(within)
        lines.append(_gate(peak <= limit, f"the whole process, Python and all, within {within}: {peak / 1e9:.2f} GB"))
    return ["Gates:", "", *lines] if lines else []


def _gate(met: bool, says: str) -> str:
    return f"- {'met' if met else '**not met**'}: {says}"


def in_bytes(limit: str) -> float:
    """A memory limit as DuckDB writes it, in bytes."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*([KMGT]?)(i?)B?\s*", limit, re.IGNORECASE)
    if not found:
        sys.exit(f"{limit!r} is no memory limit; write it as 2GB or 512MiB")
    power = " KMGT".index(found[2].upper() or " ")
    return float(found[1]) * float((1024 if found[3] else 1000) ** power)
