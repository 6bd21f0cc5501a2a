"""Anchors: real news as stand-off records, without a word of it, and whole again for who has the text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anchors import SOURCES, article_ids, texts
from building import REPOSITORY, shared
from dateline.hydrating import hydrate_seeds
from dateline.leaks import shown
from dateline.project import find_project

ARTICLES = REPOSITORY / "seeds" / "articles"
GUM = shared() / "corpora" / "gum-news"
at_hand = pytest.mark.skipif(not GUM.is_dir(), reason=f"the news of GUM are not at hand: no folder {shown(str(GUM.name))}")


def anchors() -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in sorted(ARTICLES.glob("wikinews-*.json"))]


def test_twelve_real_articles_say_whose_text_it_is_and_how_to_come_by_it() -> None:
    found = anchors()
    assert len(found) >= 12 and {a["group"] for a in found} == {f"wikinews-{name}" for name in SOURCES}
    for article in found:
        assert article["tier"] == "ANCHOR" and article["fictional"] is False
        assert (
            article["source"]["url"].startswith("https://en.wikinews.org/wiki/") and "GUM" in article["source"]["retrieved_from"]
        )
        assert article["rights"]["text_license"] == "CC-BY-2.5" and article["rights"]["text_redistributable"] is False
        assert all(one["status"] == "FULL" for one in article["coverage"])


def test_no_record_holds_words_of_its_text() -> None:
    for article in anchors():
        assert article["text"]["content"] is None and article["text"]["minhash"] and article["headline"] is None
        assert '"surface":' not in json.dumps(article)
        assert all(claim["proposition"] is None for claim in article["claims"])


@at_hand
def test_anchors_are_hydrated_with_texts_from_gum(tmp_path: Path) -> None:
    ids = article_ids(ARTICLES)
    for name, text in texts(GUM):
        (tmp_path / f"{ids[name]}.txt").write_bytes(text.encode())
    out = tmp_path / "hydrated"
    for path in sorted(ARTICLES.glob("wikinews-*.json")):
        done = hydrate_seeds(find_project(REPOSITORY), path, tmp_path, out / path.stem)
        assert done.problems == [] and done.spans > 50
        (written,) = (out / path.stem).glob("*.json")
        record = json.loads(written.read_bytes())
        text = record["text"]["content"]
        spans = [s for layer in ("mentions", "quantities", "events") for item in record[layer] for s in item.get("spans", [])]
        assert spans and all(s["surface"] == text[s["start"] : s["end"]] for s in spans)


@at_hand
def test_no_file_of_the_anchors_repeats_their_words() -> None:
    """Eight words in a row of any text, in records, passes or decisions; canonical names are shorter."""
    kept = [*sorted(ARTICLES.glob("wikinews-*.json")), REPOSITORY / "annotations" / "decisions.jsonl"]
    files = "\n".join(path.read_text(encoding="utf-8") for path in kept)
    for folder in ("first", "second"):
        lines = (REPOSITORY / "annotations" / folder / "records.jsonl").read_text(encoding="utf-8").splitlines()
        files += "\n".join(line for line in lines if '"article_id": "wikinews-' in line)
    for name, text in texts(GUM):
        words = text.split()
        grams = (" ".join(words[n : n + 8]) for n in range(len(words) - 7))
        assert not [gram for gram in grams if gram in files], name
