"""dateline.align: spans on tokens and back, whatever the tokenizer; windows, levels, counts; what cannot be aligned."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, IterableDataset, IterableDatasetDict, List, Value
from hypothesis import example, given
from hypothesis import strategies as st

from building import REPOSITORY, Json
from dateline.aligning import align, label2id, spans_in
from dateline.errors import AlignError
from dateline.tagging import Item, Tokens, depth, places
from tokenizers_at_hand import NAMES, SENTENCES, fast, tokenizer

LABELS = ("PER", "LOC", "ORG")
SPAN = {"start": Value("int32"), "end": Value("int32")}
ROLES = Features({"id": Value("string"), "passage": Value("string"), "source_spans": List(SPAN), "content_spans": List(SPAN)})
ENTITY = {**SPAN, "label": ClassLabel(names=list(LABELS)), "item": Value("string")}
NER = Features({"id": Value("string"), "passage": Value("string"), "entities": List(ENTITY)})


def at(text: str, *words: str) -> list[Json]:
    """The first place of each of the words in a text, as spans."""
    return [{"start": text.index(w), "end": text.index(w) + len(w)} for w in words]


def entity(text: str, words: str, label: str, item: str | None = None) -> Json:
    return at(text, words)[0] | {"label": label, "item": item or words}


def told(window: Json, column: str, names: dict[int, str]) -> list[tuple[str, list[tuple[int, int]]]]:
    """All items that a window's labels tell, over its levels."""
    rows = window[f"{column}_labels"]
    items = [item for row in rows for item in spans_in(row, window["offset_mapping"], names)]
    return sorted((item["label"], [(s["start"], s["end"]) for s in item["spans"]]) for item in items)


def tags(window: Json, column: str, names: tuple[str, ...]) -> list[str]:
    """Each level's tags of the tokens that have one, in words."""
    known = ["O", *(f"{mark}-{name}" for name in names for mark in "BI")]
    return [" ".join(known[number] for number in row if number != -100) for row in window[f"{column}_labels"]]


# ---- what a window holds -------------------------------------------------------------------------------------

QUOTE = SENTENCES[0]
QUOTED: Json = {
    "id": "q1",
    "passage": QUOTE,
    "source_spans": [{"start": QUOTE.rindex("Ana"), "end": QUOTE.rindex("Ana") + 3}],
    "cue_spans": [],
    "content_spans": at(QUOTE, "We won", "and they lost"),
}


def test_each_role_has_labels_of_its_own_and_the_later_pieces_of_a_quotation_continue_it() -> None:
    (window,) = align(QUOTED, tokenizer("words"))
    assert [QUOTE[start:end] for start, end in window["offset_mapping"]] == [
        "", "Ana", "met", "Bo", "in", "Rome", ".", "“", "We", "won", "”,", "Ana", "said", ",", "“", "and",
        "they", "lost", "”.", "",
    ]  # fmt: skip
    assert window["id"] == "q1" and window["window"] == 0
    assert window["special_tokens_mask"] == [1] + [0] * 18 + [1] and window["attention_mask"] == [1] * 20
    assert window["input_ids"] == tokenizer("words").encode(QUOTE).ids
    assert window["source_spans_labels"] == [[-100, *[0] * 10, 1, *[0] * 7, -100]]
    assert tags(window, "content_spans", ("content",)) == [
        "O O O O O O O B-content I-content O O O O O I-content I-content I-content O"
    ]
    assert window["cue_spans_labels"] == [[-100, *[0] * 18, -100]] and window["cue_spans_levels"] == 0
    (window,) = align(QUOTED, tokenizer("words"), discontinuous=False, spans=["content_spans"])
    assert tags(window, "content_spans", ("content",))[0].split().count("B-content") == 2
    assert "source_spans_labels" not in window


def test_nested_names_stand_on_levels_the_outermost_first() -> None:
    text = "Rome University of Ana Bo in Rome"
    names = [entity(text, "Ana", "PER"), entity(text, "Rome University of Ana Bo", "ORG"), entity(text, "Ana Bo", "PER"),
             entity(text, "Rome", "LOC")]  # fmt: skip
    (window,) = align({"passage": text, "entities": names}, tokenizer("words"), labels={"entities": LABELS})
    assert tags(window, "entities", LABELS) == [
        "B-ORG I-ORG I-ORG I-ORG I-ORG O O",
        "B-LOC O O B-PER I-PER O O",
        "O O O B-PER O O O",
    ]
    assert window["entities_levels"] == 3 and window["entities_too_deep"] == 0
    for levels, left_out in ((1, 3), (2, 1), (5, 0)):
        (flat,) = align({"passage": text, "entities": names}, tokenizer("words"), labels={"entities": LABELS}, levels=levels)
        assert len(flat["entities_labels"]) == levels and flat["entities_labels"][:3] == window["entities_labels"][:levels]
        assert (flat["entities_levels"], flat["entities_too_deep"]) == (3, left_out)


def test_an_item_stands_deeper_than_every_item_around_it_and_on_no_level_with_one_that_it_meets() -> None:
    tokens = Tokens([(n, n + 1) for n in range(8)])
    for stretches in itertools.combinations([*itertools.combinations(range(0, 8, 2), 2), (1, 3), (3, 5), (0, 7)], 4):
        placed = places(tokens, [Item("x", (stretch,)) for stretch in stretches])
        for a, b in itertools.permutations(placed, 2):
            (a_start, a_end), (b_start, b_end) = a.item.spans[0], b.item.spans[0]
            if a_start <= b_start and b_end <= a_end and (a_start, a_end) != (b_start, b_end):
                assert a.level < b.level
            if a_start < b_end and b_start < a_end:
                assert a.level != b.level
    crossing = places(tokens, [Item("x", (s,)) for s in ((0, 3), (2, 5), (4, 7))])
    assert depth(crossing) == 2  # no more levels than needed
    gap = places(tokens, [Item("x", ((0, 1), (6, 7))), Item("x", ((3, 4),))])
    assert [p.level for p in gap] == [0, 1]  # one inside the gap of another would be taken for its piece


def test_a_token_across_a_spans_edge_is_inside_and_the_span_is_counted_as_misaligned() -> None:
    text = "unhappy Bo"
    row = {"passage": text, "x_spans": [{"start": 2, "end": 7}, {"start": 8, "end": 10}]}
    (window,) = align(row, tokenizer("words"))
    assert tags(window, "x_spans", ("x",)) == ["B-x I-x"] and window["x_spans_misaligned"] == 1
    assert told(window, "x_spans", {0: "O", 1: "B-x", 2: "I-x"}) == [("x", [(0, 10)])]


def test_two_items_within_one_token_both_keep_a_tag() -> None:
    text = "Anabo"
    names = [entity(text, "Ana", "PER"), entity(text, "bo", "LOC")]
    (window,) = align({"passage": text, "entities": names}, tokenizer("words"), labels={"entities": LABELS})
    assert tags(window, "entities", LABELS) == ["B-PER", "B-LOC"] and window["entities_misaligned"] == 2


def test_spans_that_no_token_shows_are_outside() -> None:
    row = {"passage": "Ana  Bo", "x_spans": [{"start": 3, "end": 5}, {"start": 2, "end": 2}, {"start": 5, "end": 7}]}
    (window,) = align(row, tokenizer("words"))
    assert (window["x_spans_outside"], window["x_spans_cut"], tags(window, "x_spans", ("x",))) == (2, 0, ["O B-x"])


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_passage_gives_one_window_of_special_tokens(name: str) -> None:
    (window,) = align({"passage": "", "x_spans": []}, tokenizer(name))
    assert window["x_spans_labels"] == [[-100] * len(window["input_ids"])]
    assert len(window["input_ids"]) == (0 if name == "bytes" else 2)


def test_a_leading_space_that_a_tokenizer_counts_in_is_taken_off() -> None:
    text = "Ana met Bo"
    assert (3, 7) in tokenizer("bytes-with-spaces").encode(text).offsets  # " met"
    (window,) = align({"passage": text, "x_spans": at(text, "Ana", "met")}, tokenizer("bytes-with-spaces"))
    assert window["x_spans_misaligned"] == 0 and [4, 7] in window["offset_mapping"]


def test_offsets_lead_to_the_text_as_it_stands_not_as_the_tokenizer_normalised_it() -> None:
    text = "cafe\u0301 in Z̆ovin’s İnci 👩‍👩‍👧 東京"
    row = {"passage": text, "x_spans": at(text, "Z̆ovin", "京")}
    (window,) = align(row, tokenizer("wordpiece"))
    assert told(window, "x_spans", {0: "O", 1: "B-x", 2: "I-x"}) == [("x", [(9, 15), (len(text) - 1, len(text))])]
    (window,) = align({"passage": "🙂 東京", "x_spans": [{"start": 0, "end": 1}]}, tokenizer("bytes"))
    assert tags(window, "x_spans", ("x",))[0].startswith("B-x I-x I-x")  # the bytes of one emoji


# ---- the law -------------------------------------------------------------------------------------------------

PIECES = [
    "Ana", "met", "Bo", " ", "  ", ".", "“", "won", "”, ", "Z̆ovin", "cafe\u0301", "É", "東", "京", "👩\u200d👩\u200d👧", "🙂",
    "İ", "ß", "\n", "\u3000", "\u200d", "1,200", "[SEP]", "ﬁ", "x",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@st.composite
def rows(draw: st.DrawFn) -> tuple[str, list[Json]]:
    """A text, and entities of one or two spans anywhere in it."""
    text = draw(TEXTS)
    entities = []
    for item in range(draw(st.integers(0, 5))):
        places = sorted(draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=4)))
        label = draw(st.sampled_from(LABELS))
        pairs = zip(places[::2], places[1::2], strict=False)
        entities += [{"start": start, "end": end, "label": label, "item": str(item)} for start, end in pairs]
    return text, entities


def expected(window: Json, entities: list[Json]) -> list[tuple[str, list[tuple[int, int]]]]:
    """By the definition: per item the tokens that share a character with it, those in a row put together."""
    own = [(s, e) for s, e in window["offset_mapping"] if s < e]
    found = []
    for _, spans in itertools.groupby(entities, key=lambda e: e["item"]):
        said = list(spans)
        inside = [n for n, (s, e) in enumerate(own) if any(max(s, x["start"]) < min(e, x["end"]) for x in said)]
        runs = [list(run) for _, run in itertools.groupby(enumerate(inside), key=lambda pair: pair[1] - pair[0])]
        stretches = [(own[run[0][1]][0], max(own[n][1] for _, n in run)) for run in runs]
        if stretches:
            found.append((said[0]["label"], stretches))
    return sorted(found)


@pytest.mark.parametrize("name", NAMES)
@given(made=rows())
@example(
    made=("👩‍👩‍👧🙂", [{"start": 0, "end": 1, "label": "PER", "item": "0"}, {"start": 4, "end": 6, "label": "PER", "item": "1"}])
)
@example(made=("東京 Ana", [{"start": 1, "end": 4, "label": "LOC", "item": "0"}]))
def test_tags_tell_exactly_the_tokens_that_each_item_touches(name: str, made: tuple[str, list[Json]]) -> None:
    text, entities = made
    row = {"passage": text, "entities": entities}
    (window,) = align(row, tokenizer(name), labels={"entities": LABELS}, spans=["entities"])
    names = {n: t for t, n in label2id(NER, "entities").items()}
    assert told(window, "entities", names) == expected(window, entities)
    if not window["entities_misaligned"] and not window["entities_outside"]:
        apart = Counter(e["item"] for e in entities)
        items = {e["item"]: e for e in entities if apart[e["item"]] == 1}
        exactly = [(e["label"], [(e["start"], e["end"])]) for e in items.values()]
        assert [item for item in exactly if item not in told(window, "entities", names)] == []
    for size, stride in ((4, 0), (7, 2)):
        parts = align(row, tokenizer(name), labels={"entities": LABELS}, spans=["entities"], max_length=size, stride=stride)
        whole = _own(window)
        at_ = 0
        for part in parts:  # each window is the next stretch of the whole, and they reach its end
            own = _own(part)
            assert own == whole[at_ : at_ + len(own)] and len(part["input_ids"]) <= size
            at_ += len(own) - stride
        assert at_ + stride >= len(whole)


def _own(window: Json) -> list[tuple[Any, ...]]:
    columns = zip(window["input_ids"], map(tuple, window["offset_mapping"]), *window["entities_labels"], strict=True)
    return [column for column, special in zip(columns, window["special_tokens_mask"], strict=True) if not special]


# ---- windows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("size", "stride"), [(8, 0), (8, 3), (11, 5), (200, 10)])
def test_windows_are_those_of_transformers(name: str, size: int, stride: int) -> None:
    text = " ".join(SENTENCES)
    theirs = fast(name)(text, truncation=True, max_length=size, stride=stride, return_overflowing_tokens=True)
    ours = align({"passage": text, "x_spans": []}, fast(name), max_length=size, stride=stride)
    assert [w["input_ids"] for w in ours] == theirs["input_ids"] and [w["window"] for w in ours] == list(range(len(ours)))
    assert (len(ours) > 1) == (size < 200)


def test_what_a_window_cuts_and_what_it_does_not_show_is_counted() -> None:
    text = "Ana met Bo in Rome . We won"
    row = {"passage": text, "x_spans": at(text, "met Bo in", "We won")}
    windows = align(row, tokenizer("words"), max_length=5)  # three words each
    assert [tags(w, "x_spans", ("x",))[0] for w in windows] == ["O B-x I-x", "I-x O O", "I-x I-x"]
    assert [(w["x_spans_cut"], w["x_spans_outside"]) for w in windows] == [(1, 1), (1, 1), (0, 1)]
    assert told(windows[1], "x_spans", {0: "O", 1: "B-x", 2: "I-x"}) == [("x", at_of(text, "in"))]


def at_of(text: str, words: str) -> list[tuple[int, int]]:
    return [(s["start"], s["end"]) for s in at(text, words)]


@pytest.mark.parametrize("options", [{"max_length": 2}, {"max_length": 8, "stride": 6}, {"max_length": 8, "stride": -1}])
def test_windows_that_cannot_go_on_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(AlignError, match="give a larger max_length"):
        align({"passage": "Ana", "x_spans": []}, tokenizer("words"), **options)


def test_truncation_and_padding_that_a_tokenizer_brings_are_not_used_and_left_as_they_are() -> None:
    from tokenizers import Tokenizer

    limited: Any = Tokenizer.from_str(tokenizer("words").to_str())
    limited.enable_truncation(4)
    limited.enable_padding(length=50)
    assert align(QUOTED, limited) == align(QUOTED, tokenizer("words"))
    assert limited.truncation["max_length"] == 4 and limited.padding["length"] == 50


# ---- transformers, datasets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_fast_tokenizer_of_transformers_gives_the_same(name: str) -> None:
    wrapped, plain = align(QUOTED, fast(name)), align(QUOTED, tokenizer(name))
    for window in wrapped:
        window.pop("token_type_ids", None)
    assert wrapped == plain


def entities_of(text: str) -> list[Json]:
    return [{**e, "label": LABELS.index(e["label"])} for e in (entity(text, "Ana met", "ORG"), entity(text, "Ana", "PER"))]


def some(n: int) -> Dataset:
    text = "Ana met Bo in Rome ."
    return Dataset.from_list(
        [{"id": f"r{i}", "passage": text * i, "entities": entities_of(text) if i else []} for i in range(n)], NER
    )


def test_a_dataset_gives_the_windows_of_its_rows_with_types() -> None:
    data = some(5)
    made = align(data, fast("words"), max_length=10, stride=2)
    one_by_one = [w for row in data for w in align(row, fast("words"), labels={"entities": LABELS}, max_length=10, stride=2)]
    assert len(made) > len(data) and made.to_list() == one_by_one
    assert made.features["entities_labels"] == List(List(Value("int64"))) and made.features["id"] == Value("string")
    assert list(align(data.to_iterable_dataset(), fast("words"), max_length=10, stride=2)) == one_by_one
    assert align(data.with_format("np"), fast("words"), max_length=10, stride=2).to_list() == one_by_one
    kept = align(data, tokenizer("words"), keep=["passage"])
    assert "passage" in kept.column_names and "id" not in kept.column_names


def test_all_splits_are_aligned_also_those_without_rows() -> None:
    both = DatasetDict({"train": some(2), "test": some(2).select([])})
    made = align(both, tokenizer("words"))
    assert isinstance(made, DatasetDict) and {k: len(v) for k, v in made.items()} == {"train": 2, "test": 0}
    assert made["test"].features == made["train"].features
    streams = align(IterableDatasetDict({"train": some(2).to_iterable_dataset()}), tokenizer("words"))
    assert isinstance(streams, IterableDatasetDict) and len(list(streams["train"])) == 2


def test_of_two_passages_each_has_its_own_spans() -> None:
    columns = {f"{name}_{x}": kind for x in "ab" for name, kind in (("passage", Value("string")), ("quantity_spans", List(SPAN)))}
    data = Dataset.from_list([{"passage_a": "about 20 dead", "quantity_spans_a": at("about 20 dead", "20"),
                               "passage_b": "30", "quantity_spans_b": at("30", "30")}], Features(columns))  # fmt: skip
    made = align(data, tokenizer("words"), passage="passage_a")
    assert made.column_names[-6:-4] == ["quantity_spans_a_labels", "quantity_spans_a_levels"]
    assert tags(made[0], "quantity_spans_a", ("quantity",)) == ["O B-quantity O"]
    assert not [name for name in made.column_names if "_b" in name]
    with pytest.raises(AlignError, match="passage='passage_a'"):
        align(data, tokenizer("words"))


def test_label_ids_follow_the_order_of_the_class_labels() -> None:
    assert label2id(NER, "entities") == {"O": 0, "B-PER": 1, "I-PER": 2, "B-LOC": 3, "I-LOC": 4, "B-ORG": 5, "I-ORG": 6}
    assert label2id(ROLES, "source_spans") == {"O": 0, "B-source": 1, "I-source": 2}
    with pytest.raises(AlignError, match="there are: source_spans, content_spans"):
        label2id(ROLES, "entities")


# ---- what cannot be aligned ----------------------------------------------------------------------------------


class Slow:
    is_fast = False

    def __call__(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise AssertionError("must not be asked")


class Unknowing:
    def __call__(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError("return_offset_mapping is not available when using Python tokenizers")


@pytest.mark.parametrize(
    ("row", "using", "says"),
    [
        (QUOTED, Slow(), "Slow is a slow tokenizer, .* load the fast one"),
        (QUOTED, Unknowing(), "Unknowing does not say where its tokens stand"),
        (QUOTED, "bert", "str is no tokenizer"),
        (QUOTED | {"passage": None}, None, "q1: passage is null: its text is withheld"),
        ({"id": "e1", "value": 3}, None, "e1: has no column 'passage'"),
        (QUOTED | {"source_spans": [{"start": 50, "end": 99}]}, None, "q1: source_spans has a span 50:99, but its passage has 5"),
        ({"passage": "Ana", "entities": [entity("Ana", "Ana", "PER")]}, None, "labels={'entities': "),
        ([QUOTED], None, "this is list"),
    ],
)
def test_what_cannot_be_aligned_is_told_in_a_line(row: Any, using: Any, says: str) -> None:
    with pytest.raises(AlignError, match=says) as told:
        align(row, using or tokenizer("words"))
    assert "\n" not in str(told.value)


def test_a_label_that_is_not_known_or_missing_is_told() -> None:
    for label in ("GPE", None, 3):
        row = {"id": "r1", "passage": "Ana", "entities": [{"start": 0, "end": 3, "label": label}]}
        with pytest.raises(AlignError, match=r"r1: entities has a span labelled .*; its labels are PER, LOC, ORG"):
            align(row, tokenizer("words"), labels={"entities": LABELS})


def test_datasets_without_passages_or_spans_are_told() -> None:
    with pytest.raises(AlignError, match="take a view with passages"):
        align(Dataset.from_dict({"value": [1]}), tokenizer("words"))
    with pytest.raises(AlignError, match="no column has spans"):
        align(Dataset.from_dict({"passage": ["Ana"]}), tokenizer("words"))
    with pytest.raises(AlignError, match=r"give them: stream.cast\(features\)"):
        align(IterableDataset.from_generator(lambda: iter([QUOTED])), tokenizer("words"))
    words = Dataset.from_list([{"passage": "Ana", "entities": [entity("Ana", "Ana", "PER")]}])
    with pytest.raises(AlignError, match="are no ClassLabel"):
        align(words, tokenizer("words"))
    assert len(align(words, tokenizer("words"), labels={"entities": LABELS})) == 1


def test_importing_dateline_stays_light() -> None:
    heavy = ("datasets", "tokenizers", "transformers", "dateline.aligning")
    code = f"import dateline, sys; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.slow
def test_the_worked_example_gives_what_the_docs_say(tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "aligning.md").read_text(encoding="utf-8")
    example = tmp_path / "aligning.txt"
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 4
    example.write_text("\n".join(blocks), encoding="utf-8")
    environment = {**os.environ, "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    run = [sys.executable, "-m", "doctest", str(example)]
    done = subprocess.run(run, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
