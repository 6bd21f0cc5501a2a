"""SQuAD 2.0: who is quoted, what they said, by which words: questions whose answers are stretches of the passage, or not there.

`train.json` is in the form of the SQuAD releases (articles, paragraphs, questions), as their evaluation script reads it;
`train.jsonl` has the same questions as the rows of `squad_v2` on the Hub. Of a discontinuous span each piece is an answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from dateline.errors import UsageError
from dateline.view_exporters import Written
from dateline.view_rows import PASSAGE, View

NAME = "squad"

QUESTIONS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "source": "Who is the source of “{content}”?",
        "cue": "Which words attribute “{content}” to its source?",
        "content": "What is attributed to “{source}”?",
    },
    "de": {
        "source": "Von wem stammt „{content}“?",
        "cue": "Welche Worte schreiben „{content}“ der Quelle zu?",
        "content": "Was wird „{source}“ zugeschrieben?",
    },
}
"""By language and by the role that answers; {content} and {source} are the words of these roles. Other languages get English."""
NEEDED = ("source_spans", "content_spans")

Row = Mapping[str, Any]


def write(view: View, folder: Path) -> Written:
    """Write both forms of each split. Raises UsageError for a view without sources and contents."""
    if missing := [column for column in NEEDED if column not in view.spans]:
        raise UsageError(
            f"{view.name} has no {' and no '.join(missing)}; questions are made of a view of attributions that has both"
        )
    done = Written()
    for split in view.splits:
        articles = [
            _article(name, list(rows), done) for name, rows in groupby(view.rows(split), lambda row: str(row["article_id"]))
        ]
        _dump(folder / f"{split}.json", [{"version": "v2.0", "data": articles}])
        _dump(folder / f"{split}.jsonl", (row for article in articles for row in _flat(article)))
        done.files += [f"{split}.json", f"{split}.jsonl"]
    done.about = [
        "SPLIT.json: SQuAD 2.0, as its evaluation script reads it. SPLIT.jsonl: the same questions as rows of squad_v2.",
        "A question that the passage does not answer has is_impossible (SPLIT.json), and no answers: its source is implied.",
        "answer_start counts code points. Of a discontinuous span each piece is an answer.",
    ]
    return done


def _article(name: str, rows: list[Row], done: Written) -> dict[str, Any]:
    """An article with its passages in the order in which they come."""
    passages: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        passages.setdefault((row["doc_start"], row[PASSAGE]), []).append(row)
        done.counts["rows"] += 1
    return {"title": name, "paragraphs": [_paragraph(passage, own, done) for (_, passage), own in passages.items()]}


def _paragraph(passage: str, rows: Iterable[Row], done: Written) -> dict[str, Any]:
    """A passage with its questions; two attributions that give the same question give it once, with the answers of both."""
    asked: dict[str, dict[str, Any]] = {}
    for row in rows:
        for role, question in _questions(passage, row):
            answers = [{"text": passage[s["start"] : s["end"]], "answer_start": s["start"]} for s in _spans(row, role)]
            known = asked.setdefault(question, {"id": f"{row['id']}:{role}", "question": question, "answers": []})
            known["answers"] += [answer for answer in answers if answer not in known["answers"]]
    for known in asked.values():
        known["answers"].sort(key=lambda answer: (answer["answer_start"], len(answer["text"])))
        known["is_impossible"] = not known["answers"]
        done.counts["questions"] += 1
        done.counts["questions without an answer"] += known["is_impossible"]
    return {"context": passage, "qas": list(asked.values())}


def _questions(passage: str, row: Row) -> Iterator[tuple[str, str]]:
    """The role that answers and the question, as far as the words are there that the question is made of."""
    language = str(row.get("language") or "").partition("-")[0]
    templates = QUESTIONS.get(language, QUESTIONS["en"])
    words = {
        role: " … ".join(passage[s["start"] : s["end"]].strip() for s in _spans(row, role)) for role in ("source", "content")
    }
    for role, template in templates.items():
        made_of = "source" if role == "content" else "content"
        if words[made_of] and f"{role}_spans" in row:
            yield role, template.format(**words)


def _spans(row: Row, role: str) -> list[dict[str, int]]:
    spans = [span for span in row[f"{role}_spans"] or () if span["start"] < span["end"]]
    return sorted(spans, key=lambda span: (span["start"], span["end"]))


def _flat(article: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The questions of an article as rows of `squad_v2`."""
    for paragraph in article["paragraphs"]:
        for asked in paragraph["qas"]:
            answers = asked["answers"]
            yield {
                "id": asked["id"],
                "title": article["title"],
                "context": paragraph["context"],
                "question": asked["question"],
                "answers": {"text": [a["text"] for a in answers], "answer_start": [a["answer_start"] for a in answers]},
            }


def _dump(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
