"""dateline.open: articles with layers joined, references followed, spans as text."""

from __future__ import annotations

from decimal import Decimal

import pytest

import dateline
from building import ProjectFolder, mention, record
from dateline.engines import LocalEngine
from dateline.errors import LoadError
from dateline.opening import Corpus, Span
from dateline.pipeline import rebuild
from dateline.project import Project, find_project


@pytest.fixture
def corpus(folder: ProjectFolder) -> Corpus:
    inner = mention("m2", 11, 18, "LOC", parent_id="m1", score=1.5, head={"start": 14, "end": 18})
    split = {**mention("m1", 0, 3), "spans": [{"start": 0, "end": 3}, {"start": 8, "end": 10}]}
    folder.settings("[tool.dateline.splits]", "quotas = { train = 1.0 }")
    folder.seed(
        record("a1", mentions=[split, inner]),
        record("a2", "Withheld words.", rights={}, mentions=[mention("m1", 0, 8)]),
        record("a3", "No items."),
    )
    assert rebuild(find_project(folder.root), LocalEngine(1)).problems == []
    return dateline.open(folder.root / "dataset")


def test_articles_come_with_their_layers_in_the_order_of_ids(corpus: Corpus) -> None:
    assert (len(corpus), corpus.splits, corpus.layers) == (3, {"train": 3}, ("annotation_sets", "coverage", "mentions"))
    articles = list(corpus)
    assert [(a.id, a.split, a.text) for a in articles] == [
        ("a1", "train", "Ana met Bo in Rome."), ("a2", "train", None), ("a3", "train", "No items."),
    ]  # fmt: skip
    assert [[m.id for m in a.mentions] for a in articles] == [["m1", "m2"], ["m1"], []]
    assert articles[0].text_n_code_points == articles[0]["text_n_code_points"] == 19


def test_items_have_words_fields_and_references(corpus: Corpus) -> None:
    outer, inner = corpus["a1"].mentions
    assert (outer.text, outer.row, outer.label) == ("Ana … Bo", "a1#m1", "PER")
    assert outer.spans == (Span(0, 3, "Ana"), Span(8, 10, "Bo"))
    assert (inner.head, inner["score"], len(inner.head)) == (Span(14, 18, "Rome"), Decimal("1.500"), 4)
    assert inner.follow("parent_id") == (outer,)
    assert outer.follow("parent_id") == ()
    assert outer.referrers() == outer.referrers("mentions") == (inner,)
    assert inner.referrers() == ()


def test_where_the_text_is_withheld_offsets_stay_and_words_do_not(corpus: Corpus) -> None:
    [item] = corpus["a2"].mentions
    assert (item.spans, item.text) == ((Span(0, 8, None),), None)


def test_names_that_are_not_there_say_what_is(corpus: Corpus) -> None:
    article = corpus["a1"]
    with pytest.raises(KeyError, match="has no article 'a9'"):
        corpus["a9"]
    with pytest.raises(AttributeError, match="no field or layer 'mention'; they have article_id"):
        _ = article.mention
    with pytest.raises(AttributeError, match="mentions have no field 'lable'; they have mention_id"):
        _ = article.mentions[0].lable
    with pytest.raises(KeyError, match=r"mentions.label refers to no layer of the article; of mentions these do: parent_id"):
        article.mentions[0].follow("label")
    with pytest.raises(LoadError, match="has no split 'dev'; it has train"):
        next(corpus.articles("dev"))
    with pytest.raises(LoadError, match="no such file"):
        dateline.open("nowhere")


def test_a_damaged_file_is_named(corpus: Corpus) -> None:
    [file] = (corpus.folder / "records").glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(LoadError, match=r"records/train-.*: cannot be read as Parquet"):
        list(corpus)
    file.unlink()
    with pytest.raises(LoadError, match="the manifest names it, but it is not there"):
        corpus["a1"]


def test_the_corpus_that_came_with_the_package(small_flagship: Project) -> None:
    corpus = dateline.open(small_flagship.dataset)
    seen = 0
    for article in corpus:
        for claim in article.claims:
            for quantity in claim.follow("quantity_ids"):
                seen += 1
                assert quantity in article.quantities
                assert claim in quantity.referrers("claims")
                assert (quantity.text is None) == (article.text is None)
    assert seen > 50
    assert sum(1 for _ in corpus.articles(layers=False)) == len(corpus)
