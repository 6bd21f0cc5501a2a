"""Two passes over the contrast sets of test: what each says of every article, where they differ, and what was decided.

python corpus/contrast_passes.py check                   # all differences are decided, and the templates say what was decided
python corpus/contrast_passes.py list                    # the differences, as decisions to fill in
python corpus/contrast_passes.py write --out FOLDER      # both passes as records, for `dateline agreement`

annotations/contrasts/first holds the articles of the templates before anything was decided. annotations/contrasts/second holds
what another annotator, who saw one lexicalisation of each template and no annotation, wrote of its members; what differs between
lexicalisations is put into slots again, so it stands for all of them. Items are named by their words, with slots where words
differ. annotations/contrasts/answers.jsonl holds what readers of the text and the statement alone answered, article by article.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from adjudication import DECISIONS, differences, items_of, words_at
from contrasts import FOLDER, ROOT, Member, Template, members, read_templates
from dateline.compile.seeds import read_tables
from dateline.project import find_project
from dateline.record_files import Staged, encode, on_one_line
from dateline.schema import load_schemas
from notation import Fault

PASSES = ROOT / "annotations" / "contrasts"
ANNOTATORS = {"first": "template-1", "second": "model-6"}
"""The author of the templates, and who annotated them again."""


@dataclasses.dataclass(frozen=True)
class Doubled:
    """One article of a contrast set of test as the first pass, the second pass and the seeds have it."""

    first: Member
    second: Member
    final: Member

    @property
    def name(self) -> str:
        """Contrast set and member."""
        return f"{self.final.contrast_set}{self.final.letter}"

    @property
    def where(self) -> str:
        """Template and member."""
        return f"{self.final.template.name} {self.final.letter}"


def doubled(folder: Path = PASSES, most: int | None = None) -> Iterator[Doubled]:
    """All articles of test, or of the first lexicalisations, in both passes and as they are now.

    Raises Fault for one that a pass lacks, or has of another text.
    """
    project = find_project(ROOT)
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas).keys
    lexicon = tomllib.loads((FOLDER / "lexicon.toml").read_text(encoding="utf-8"))
    answers = answers_of(folder)
    for template in read_templates(FOLDER):
        if template.split == "test":
            versions = [template_of(template, name, folder) for name in ANNOTATORS]
            made = [list(members(one, lexicon, schemas, tables, most)) for one in (*versions, template)]
            for first, second, final in zip(*made, strict=True):
                if len({m.record["text"]["sha256"] for m in (first, second, final)}) > 1:
                    raise Fault(f"{final.contrast_set}{final.letter}: the two passes and the template are not of one text")
                yield Doubled(first, _answered(second, answers), final)


def answers_of(folder: Path = PASSES) -> Mapping[str, str]:
    """What was answered to the statement of each article by a reader of that text alone."""
    lines = (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["article_id"]: row["answer"] for row in map(json.loads, lines)}


def _answered(member: Member, answers: Mapping[str, str]) -> Member:
    article = member.record["article_id"]
    if article not in answers:
        raise Fault(f"{member.contrast_set}{member.letter}: nobody answered the statement of {article}")
    probes = [{**probe, "answer": answers[article]} for probe in member.record["probes"]]
    return dataclasses.replace(member, record={**member.record, "probes": probes})


def template_of(template: Template, name: str, folder: Path = PASSES) -> Template:
    """A template with the articles that a pass wrote for it. Judgements are none of a pass."""
    doc = tomllib.loads((folder / name / f"{template.name}.toml").read_text(encoding="utf-8"))
    articles = {letter: doc.get(letter, doc)["article"] for letter in template.members}
    return dataclasses.replace(template, articles=articles, judged=(), annotator=ANNOTATORS[name])


def unfilled(words: str, slots: Mapping[str, Any]) -> str:
    """Words of an article with the names of slots in the place of what fills them, so that all lexicalisations say the same."""
    filled = {_shown(value): name for name, value in slots.items() if name not in ("est", "outlet", "answer", "edit", "cmp")}
    filled = {value: name for value, name in filled.items() if value}
    longest_first = sorted(filled, key=lambda value: (-len(value), value))
    pattern = "|".join(rf"\b{re.escape(value)}\b" for value in longest_first)
    return re.sub(pattern, lambda found: f"<{filled[found[0]]}>", words)


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def different(article: Doubled) -> Iterator[tuple[str, str, str | None, str | None, str | None]]:
    """Where the passes differ over an article: the item, its place, what the first says, the second, and the seeds."""
    a, b, c = (items_of(member.record) for member in (article.first, article.second, article.final))
    seen: Counter[str] = Counter()
    for place, said, says in differences(a, b):
        kind = place.partition(" [")[0]
        name = f"{kind} {unfilled(words_at(article.final.record, place), article.final.slots)}"
        seen[name] += 1
        yield (name if seen[name] == 1 else f"{name} #{seen[name]}"), place, said, says, c.get(place)


def decisions(folder: Path = PASSES) -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """By template and member, or by template for both: item, decision, reason."""
    return tomllib.loads((folder / "decisions.toml").read_text(encoding="utf-8"))


def faults(found: Iterator[Doubled], decided: Mapping[str, Mapping[str, tuple[str, str]]]) -> Iterator[str]:
    """What is wrong with decisions: one lacks, one decides nothing, or the seeds do not say what was decided."""
    used = set()
    for article in found:
        if article.second.answer != article.final.answer:
            yield f"{article.name}: the reader answered {article.second.answer} to the statement"
        for name, place, said, says, final in different(article):
            key = next((k for k in (article.where, article.final.template.name) if name in decided.get(k, {})), None)
            if key is None:
                yield f"{article.name}: {name} ({place}): not decided; first {said}, second {says}"
                continue
            used.add((key, name))
            decision, why = decided[key][name]
            if decision not in DECISIONS or not why.strip():
                yield f"{key}: {name}: {decision!r} is no decision with a reason; there are {', '.join(DECISIONS)}"
            elif decision in "AB" and final != (said, says)["AB".index(decision)]:
                yield f"{article.name}: {name}: decided {decision}; the seeds say {final}"
    for key, items in decided.items():
        for name in items:
            if (key, name) not in used:
                yield f"{key}: {name}: decided, but the passes are alike there"


def main() -> int:
    """Check decisions, list differences, or write both passes as records. 1 if anything is wrong."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("what", choices=("check", "list", "write"))
    words.add_argument("--out", type=Path, help="where both passes are written")
    said = words.parse_args()
    if said.what == "write" and said.out is None:
        words.error("write needs --out FOLDER")
    try:
        found = list(doubled())
    except Fault as fault:
        print(fault)
        return 1
    if said.what == "list":
        print("\n".join(_listed(found)))
        return 0
    if said.what == "write":
        _write(found, said.out)
        return 0
    wrong = list(dict.fromkeys(faults(iter(found), decisions())))
    print("\n".join(wrong) if wrong else _summary(found))
    return int(bool(wrong))


def _listed(found: list[Doubled]) -> Iterator[str]:
    shown = set()
    for article in found:
        for name, place, first, second, final in different(article):
            if (article.where, name) not in shown:
                shown.add((article.where, name))
                yield f"{article.where}: {name} {place}   A: {first}   B: {second}   now: {final}"


def _summary(found: list[Doubled]) -> str:
    counts: Counter[str] = Counter()
    alike = 0
    for article in found:
        a, b = (items_of(member.record) for member in (article.first, article.second))
        alike += sum(b.get(place) == said for place, said in a.items())
        for _, _, said, says, final in different(article):
            counts["first" if final == said else "second" if final == says else "neither"] += 1
    return f"{len(found)} articles: {alike} items alike; of {counts.total()} that differ, as " + ", ".join(
        f"{name}: {count}" for name, count in sorted(counts.items())
    )


def _write(found: list[Doubled], out: Path) -> None:
    for name in ANNOTATORS:
        lines = [on_one_line(encode(getattr(article, name).record)) for article in found]
        with Staged(out / name, str(out / name)) as staged:
            staged.add("contrasts.jsonl", b"".join(lines))
            staged.place()


if __name__ == "__main__":
    sys.exit(main())
