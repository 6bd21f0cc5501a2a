"""Contrast sets: members that differ in one group of words, made from templates by a seed; the gold follows from the template.

python corpus/contrasts.py                # checks all templates, runs the controls, says what there is
python corpus/contrasts.py --write        # and writes seeds/contrasts/*.jsonl and the judgements

docs/contrasts.md describes templates, cells, held-out parts and controls (contrast sets: Gardner et al. 2020, Evaluating Models'
Local Decision Boundaries via Contrast Sets; the hypothesis-only control: Poliak et al. 2018).
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import functools
import itertools
import json
import random
import re
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from dateline.compile.seeds import read_tables
from dateline.project import find_project
from dateline.record_files import encode, on_one_line
from dateline.schema import Schemas, load_schemas
from judgements import Judgement, replace_judgements
from notation import Fault, Json, Origin, as_adjudicated, make

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "seeds" / "contrasts"
SEED = 20261128
LEXICALISATIONS = {"train": 10, "test": 12}
HELD_OUT_CELLS = ("RESTATEMENT_HEDGE", "DATE_ATTACHMENT")
"""Phenomena of which no template is in train."""
MOST_ABOVE_CHANCE = 0.05
"""A template is rejected if a control that reads only numbers, or only the statement, beats chance by more."""
OUTLETS = ("Ledger of Amsel", "The Quay Post", "Morning Bulletin", "Wick Courier", "Eastern Register", "Halyard News")


@dataclass(frozen=True)
class Template:
    """One frame: the article in the notation with slots, its two members, and a statement with an answer for each."""

    name: str
    phenomenon: str
    split: str
    expected_change: str
    hypothesis: str
    focus: str
    members: Mapping[str, Mapping[str, Any]]
    numbers: Mapping[str, Sequence[Any]]
    words: Sequence[Mapping[str, str]]
    articles: Mapping[str, str]
    """The article of each member; for most templates one and the same, with conditions in it."""
    judged: Sequence[Mapping[str, str]]
    annotator: str = "template-1"

    @property
    def group(self) -> str:
        """The story of all articles made from it: they share a split."""
        return f"contrast-{self.split}-{self.name}"


@dataclass
class Member:
    """One article of a contrast set."""

    template: Template
    contrast_set: str
    letter: str
    record: Json
    slots: Mapping[str, Any]
    judgements: list[Judgement] = field(default_factory=list)

    @property
    def answer(self) -> str:
        """The answer of its probe."""
        return str(self.record["probes"][0]["answer"])


def read_templates(folder: Path) -> list[Template]:
    """All templates of a folder; raises Fault for one that lacks something."""
    return [_template(path) for path in sorted(folder.glob("*.toml")) if path.stem != "lexicon"]


def _template(path: Path) -> Template:
    doc = tomllib.loads(path.read_text(encoding="utf-8"))
    wanted = {"phenomenon", "split", "expected_change", "hypothesis", "focus", "members", "article"}
    if lacking := wanted - doc.keys():
        raise Fault(f"{path.name}: expected {', '.join(sorted(lacking))}")
    if extra := doc.keys() - wanted - {"numbers", "words", "judged"}:
        raise Fault(f"{path.name}: unknown {', '.join(sorted(extra))}")
    if sorted(m["answer"] for m in doc["members"].values()) != ["NO", "YES"]:
        raise Fault(f"{path.name}: expected two members, one with the answer YES, one with NO")
    return Template(
        path.stem, doc["phenomenon"], doc["split"], doc["expected_change"], doc["hypothesis"], doc["focus"], doc["members"],
        doc.get("numbers", {}), doc.get("words", [{}]), dict.fromkeys(doc["members"], doc["article"]), doc.get("judged", []),
    )  # fmt: skip


# ---- slots ----------------------------------------------------------------------------------------------------


def _environment() -> jinja2.Environment:
    made = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)
    made.filters["num"] = lambda n: f"{n:,}"
    made.filters["cap"] = lambda words: words[:1].upper() + words[1:]
    made.globals["hedged"] = lambda edit, n: f"{edit} {n:,}".strip()
    made.globals["marked"] = lambda edit, n: f"{edit} <{n:,}>".strip()
    return made


_JINJA = _environment()


@functools.lru_cache(512)
def _compiled(words: str) -> jinja2.Template:
    """Words with slots, ready to be filled: one template is filled for all its lexicalisations."""
    return _JINJA.from_string(words)


def lexicalisations(template: Template, lexicon: Mapping[str, Any]) -> Iterator[tuple[int, Json]]:
    """The slots of each lexicalisation: names, numbers and dates, drawn from the seed.

    In test, every other one has names that never stand in train.
    """
    chance = random.Random(f"{SEED}:{template.name}")
    taken: dict[str, list[Any]] = {}
    for number in range(LEXICALISATIONS[template.split]):
        held_out = template.split == "test" and number % 2 == 1
        pool = lexicon["held_out" if held_out else "shared"]
        slots: Json = {"held_out": held_out}
        for kind in ("org", "town", "country", "woman", "man"):
            used = taken.setdefault(f"{kind}{held_out}", [])
            slots |= _names(kind, _draw(chance, pool[kind], used, 2))
        slots |= _dates(chance)
        slots |= {name: _number(chance, spec) for name, spec in template.numbers.items() if not isinstance(spec[0], str)}
        slots |= {
            name: slots[spec[0]] + _number(chance, spec[1:])
            for name, spec in template.numbers.items()
            if isinstance(spec[0], str)
        }
        slots |= template.words[number % len(template.words)]
        slots["outlet"] = chance.choice(OUTLETS)
        yield number, slots


def _draw(chance: random.Random, pool: Sequence[Any], used: list[Any], count: int) -> list[Any]:
    if len(pool) - len(used) < count:
        used.clear()
    drawn = chance.sample([one for one in pool if one not in used], count)
    used += drawn
    return drawn


def _names(kind: str, drawn: Sequence[str]) -> Json:
    made: Json = {f"{kind}{n}": name for n, name in enumerate(drawn, 1)}
    if kind in ("woman", "man"):
        made |= {f"{kind}{n}_last": name.split()[-1] for n, name in enumerate(drawn, 1)}
    return made


def _number(chance: random.Random, spec: Sequence[Any]) -> int:
    low, high, step = spec
    return chance.randrange(low, high + 1, step)


def _dates(chance: random.Random) -> Json:
    """The day of publication, and three days before it, by name and date: d3 is the day before, d2 and d1 lie further back."""
    published = datetime.date(2027, 1, 4) + datetime.timedelta(days=chance.randrange(360))
    made: Json = {"published": published.isoformat()}
    back = sorted(chance.sample(range(2, 6), 2), reverse=True)
    for name, days in (("d1", back[0]), ("d2", back[1]), ("d3", 1)):
        day = published - datetime.timedelta(days=days)
        two_on = day + datetime.timedelta(days=2)
        made |= {name: day.strftime("%A"), f"{name}_iso": day.isoformat(), f"{name}_two_iso": two_on.isoformat()}
    return made


# ---- articles -------------------------------------------------------------------------------------------------


def members(
    template: Template, lexicon: Mapping[str, Any], schemas: Schemas, tables: Mapping[str, Set[str]], most: int | None = None
) -> Iterator[Member]:
    """All articles that a template makes, or of its first lexicalisations; raises Fault for one that is not as it should be."""
    for number, slots in itertools.islice(lexicalisations(template, lexicon), most):
        contrast_set = f"{template.name}-{number:02d}"
        made = []
        for letter, variables in template.members.items():
            values = {**slots, **variables, "est": f"{contrast_set}{letter}"}
            made.append(_member(template, contrast_set, letter, values, schemas, tables))
        texts = [m.record["text"]["content"] for m in made]
        for one, other in itertools.pairwise(texts):
            _one_group(one, other, contrast_set)
        yield from made


def _member(
    template: Template, contrast_set: str, letter: str, values: Json, schemas: Schemas, tables: Mapping[str, Set[str]]
) -> Member:
    def fill(words: str) -> str:
        return _compiled(words).render(values)

    values |= {key: fill(value) for key, value in values.items() if isinstance(value, str) and "{{" in value}

    name = f"{template.name}.toml ({contrast_set}, member {letter})"
    try:
        doc = tomllib.loads(fill(template.articles[letter]))
    except (ValueError, jinja2.TemplateError) as fault:
        raise Fault(f"{name}: {fault}") from None
    publisher = values["outlet"]
    held_out = (["CELL"] if template.phenomenon in HELD_OUT_CELLS else []) + (["LEXICON"] if values["held_out"] else [])
    doc |= {
        "story": template.group, "outlet": re.sub("[^a-z]", "", publisher.lower()), "publisher": publisher,
        "published": values["published"], "language": "en",
        "article": {
            "contrast_set_id": contrast_set, "edited_phenomenon": template.phenomenon,
            "expected_change": fill(template.expected_change), "held_out": held_out,
        },
        "probes": {"pr1": {"spans": [fill(template.focus)], "hypothesis": fill(template.hypothesis), "answer": values["answer"]}},
    }  # fmt: skip
    made = make(doc, dataclasses.replace(ORIGIN, annotator=template.annotator), schemas, tables, name)
    if made.record is None or made.problems:
        raise Fault("\n".join(made.problems))
    article = made.record["article_id"]
    judged = [
        Judgement(f"{article}#{fill(row['a'])}", f"{article}#{fill(row['b'])}", fill(row["relation"]), "CONSTRUCTION",
                  fill(template.expected_change), "template-1")
        for row in template.judged
    ]  # fmt: skip
    return Member(template, contrast_set, letter, made.record, values, judged)


ORIGIN = Origin(
    {
        "tier": "CONTRAST", "genre": "news_wire", "fictional": True, "origin": "MODEL_WRITTEN",
        "rights": {
            "text_redistributable": True, "text_license": "CC-BY-4.0", "annotation_license": "CC-BY-4.0",
            "rights_holder": "Dateline contributors",
        },
    },
    annotator="template-1", created="2026-11-28",
)  # fmt: skip


def edited(one: str, other: str) -> tuple[str, str]:
    """The words in which two texts differ: what is left when the words that both begin and end with are taken away."""
    a, b = one.split(), other.split()
    start = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    end = next((n for n, (x, y) in enumerate(zip(a[start:][::-1], b[start:][::-1], strict=False)) if x != y),
               min(len(a), len(b)) - start)  # fmt: skip
    return " ".join(a[start : len(a) - end]), " ".join(b[start : len(b) - end])


LONGEST_EDIT = 10
"""So many words at most differ in a set."""


def _one_group(one: str, other: str, where: str) -> None:
    a, b = edited(one, other)
    if one == other or max(len(a.split()), len(b.split())) > LONGEST_EDIT:
        raise Fault(f"{where}: members differ in {a!r} and {b!r}; expected one group of at most {LONGEST_EDIT} words")


# ---- controls -------------------------------------------------------------------------------------------------


def numbers_only(member: Member) -> str:
    """All that a control sees which reads digits alone: the numbers of text and statement, in order and in size."""
    text = member.record["text"]["content"]
    said = re.findall(r"\d[\d,]*", member.record["probes"][0]["hypothesis"])
    found = [int(n.replace(",", "").strip(",") or 0) for n in re.findall(r"\d[\d,]*", text)]
    asked = [int(n.replace(",", "") or 0) for n in said]
    order = "".join("<" if a < b else ">" if a > b else "=" for a, b in itertools.pairwise(found))
    beside = " ".join(f"{'lt' if n < a else 'gt' if n > a else 'eq'}{i}" for i, n in enumerate(found) for a in asked)
    return f"n{len(found)} o{order or 'none'} {beside} " + " ".join(
        f"digits{len(str(n))} round{len(str(n)) - len(str(n).rstrip('0'))}" for n in found
    )


def hypothesis_only(member: Member) -> str:
    """All that a control sees which reads the statement and not the text."""
    return str(member.record["probes"][0]["hypothesis"])


CONTROLS = {"numbers only": numbers_only, "hypothesis only": hypothesis_only}


def control_accuracy(found: Sequence[Member], shown: Any) -> float:
    """Accuracy of a logistic regression over the words that `shown` gives, in five folds over contrast sets; chance is 0.5."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2))
    model = make_pipeline(words, LogisticRegression(C=10, max_iter=2000))
    groups = [m.contrast_set for m in found]
    answers = [m.answer for m in found]
    predicted = cross_val_predict(
        model, [shown(m) for m in found], answers, groups=groups, cv=GroupKFold(min(5, len(set(groups))))
    )
    return float(sum(p == a for p, a in zip(predicted, answers, strict=True))) / len(found)


def rejected(found: Sequence[Member]) -> Iterator[tuple[str, str, float]]:
    """Templates that a control solves: name, control, accuracy."""
    by_template: dict[str, list[Member]] = defaultdict(list)
    for member in found:
        by_template[member.template.name].append(member)
    for name, made in by_template.items():
        for control, shown in CONTROLS.items():
            accuracy = control_accuracy(made, shown)
            if accuracy > 0.5 + MOST_ABOVE_CHANCE:
                yield name, control, accuracy


# ---- the command ----------------------------------------------------------------------------------------------


def made_from(folder: Path) -> list[Member]:
    """The members of all templates of a folder; raises Fault, with all faults."""
    project = find_project(ROOT)
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas).keys
    lexicon = tomllib.loads((folder / "lexicon.toml").read_text(encoding="utf-8"))
    found: list[Member] = []
    faults = []
    for template in read_templates(folder):
        try:
            found += map(_decided, members(template, lexicon, schemas, tables))
        except Fault as fault:
            faults.append(str(fault))
    if faults:
        raise Fault("\n".join(faults))
    return found


def _decided(member: Member) -> Member:
    """Of test, all was annotated twice and decided (corpus/contrast_passes.py)."""
    twice = member.template.split == "test"
    return dataclasses.replace(member, record=as_adjudicated(member.record)) if twice else member


def main() -> int:
    """Make all contrast sets and hold them against the controls; with --write, write them. 1 if anything is wrong."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--write", action="store_true", help="write seeds/contrasts/*.jsonl and the judgements")
    said = words.parse_args()
    try:
        found = made_from(FOLDER)
    except Fault as fault:
        print(fault)
        return 1
    bad = list(rejected(found))
    for name, control, accuracy in bad:
        print(f"rejected {name}: {control} is right in {accuracy:.0%}")
    names = {name for name, _, _ in bad}
    kept = [m for m in found if m.template.name not in names]
    for control, shown in CONTROLS.items():
        print(f"{control}, all sets together: {control_accuracy(kept, shown):.3f}")
    counts = Counter((m.template.phenomenon, m.template.split, m.answer) for m in kept)
    for (phenomenon, split, answer), count in sorted(counts.items()):
        print(f"{phenomenon:20}{split:7}{answer:5}{count}")
    print(f"{len({m.template.name for m in kept})} templates, {len({m.contrast_set for m in kept})} sets, {len(kept)} articles")
    if said.write:
        _write(kept)
    return int(bool(bad))


def _write(found: Sequence[Member]) -> None:
    by_phenomenon: dict[str, list[Member]] = defaultdict(list)
    for member in found:
        by_phenomenon[member.template.phenomenon].append(member)
    for old in FOLDER.glob("*.jsonl"):
        old.unlink()
    for phenomenon, made in by_phenomenon.items():
        lines = [on_one_line(encode(m.record)) for m in made]
        (FOLDER / f"{phenomenon.lower().replace('_', '-')}.jsonl").write_bytes(b"".join(lines))
    table = ROOT / "seeds" / "tables" / "judgements.jsonl"
    old_ones = {r.split("#")[0] for line in table.read_text().splitlines() for r in _about(line) if _constructed(line)}
    replace_judgements(table, old_ones | {m.record["article_id"] for m in found}, [j for m in found for j in m.judgements])


def _about(line: str) -> tuple[str, str]:
    row = json.loads(line)
    return row["estimate_a"], row["estimate_b"]


def _constructed(line: str) -> bool:
    return bool(json.loads(line)["basis"] == "CONSTRUCTION")


if __name__ == "__main__":
    sys.exit(main())
