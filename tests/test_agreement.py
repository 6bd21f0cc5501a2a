"""Agreement of annotation sets: how items are matched, what each measure says, and the command from an import to its output."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from building import Json, ProjectFolder, record
from conftest import Run
from dateline.agreeing import Request, agree
from dateline.agreement.compare import Agreement, Comparison
from dateline.agreement.figures import Bootstrap, Figure, Measure, figure
from dateline.agreement.matching import match
from dateline.agreement.places import Place
from dateline.errors import InputError, UsageError
from two_annotators import TEXT, WORDS, annotated, annotation_set, by_annotator, named

GOLDEN = Path(__file__).parent / "reports" / "agreement.txt"
FEW = Bootstrap(resamples=200)


@pytest.fixture
def two(folder: ProjectFolder) -> ProjectFolder:
    return annotated(folder)


def compared(folder: ProjectFolder, **asked: Any) -> Agreement:
    return agree(folder.root, Request(**{"bootstrap": FEW} | asked))


def the(found: Agreement, field: str, measure: str) -> Figure:
    (comparison,) = [one for one in found.comparisons if one.layer == "mentions"]
    return figure_of(comparison, field, measure)


def figure_of(comparison: Comparison, field: str, measure: str) -> Figure:
    (one,) = [f for f in comparison.figures if (f.field, f.measure) == (field, measure)]
    return one


def many(number: int, differ: int = 0) -> list[Json]:
    """Articles in which ada and bo mark all words, and bo gives `differ` of them in all another label."""
    made = []
    for article in range(number):
        words: list[tuple[str, Json]] = [(word, {"label": "LOC" if word == "Rome" else "PER"}) for word in WORDS]
        other = []
        for word, fields in words:
            changed = {"label": "LOC" if fields["label"] == "PER" else "PER"}
            other.append((word, changed if differ > 0 else fields))
            differ -= 1
        made.append(by_annotator(f"a{article:02}", {"ada": words, "bo": other}, f"{TEXT} {article}"))
    return made


# ---- matching ------------------------------------------------------------------------------------------------


def at(*spans: tuple[int, int], role: str = "spans") -> Place:
    return Place(((role, spans),))


@pytest.mark.parametrize(
    ("first", "second", "pairs", "exact"),
    [
        ([at((0, 3)), at((4, 7))], [at((4, 7)), at((0, 3))], {(0, 1), (1, 0)}, 2),
        ([at((0, 9)), at((0, 3))], [at((0, 3))], {(1, 0)}, 1),  # exact before overlap
        ([at((0, 4)), at((2, 6))], [at((3, 6)), at((0, 3))], {(0, 1), (1, 0)}, 0),
        ([at((0, 4)), at((0, 2))], [at((0, 3))], {(0, 0)}, 0),  # 3/4, not 2/3
        ([at((2, 6)), at((5, 8))], [at((3, 7)), at((0, 3))], {(0, 0)}, 0),  # 3/5, not 1/6 + 2/5
        ([at((2, 6)), at((4, 8))], [at((3, 7)), at((0, 3))], {(0, 1), (1, 0)}, 0),  # 1/6 + 3/5, not 3/5
        ([at((0, 3))], [at((3, 6))], set(), 0),  # touching is not sharing
        ([at((0, 3), role="cue")], [at((0, 3), role="source")], set(), 0),
        ([at((0, 3)), at((0, 3))], [at((0, 3))], {(0, 0)}, 1),
        ([at((0, 3), (8, 10))], [at((0, 3))], {(0, 0)}, 0),
        ([Place(())], [Place(())], set(), 0),  # without a place nobody knows
        ([], [at((0, 3))], set(), 0),
    ],
)
def test_items_are_matched_one_to_one_equal_spans_first_then_by_best_overlap(
    first: list[Place], second: list[Place], pairs: set[tuple[int, int]], exact: int
) -> None:
    found, equal = match(first, second)
    assert (set(found), equal) == (pairs, exact)


places = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8)).map(lambda s: at((s[0], s[0] + s[1]))), max_size=8)


@given(places, places)
def test_a_matching_is_one_to_one_and_equal_places_are_never_left_apart(first: list[Place], second: list[Place]) -> None:
    found, exact = match(first, second)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
    assert all(first[i] == second[j] for i, j in found[:exact])
    left = {first[i] for i in range(len(first)) if i not in {i for i, _ in found[:exact]}}
    right = {second[j] for j in range(len(second)) if j not in {j for _, j in found[:exact]}}
    assert left & right == set()
    back, same = match(second, first)
    assert (len(back), same) == (len(found), exact)


# ---- measures ------------------------------------------------------------------------------------------------


def test_equal_sets_agree_wholly(two: ProjectFolder) -> None:
    two.seed(*many(4))
    (one,) = compared(two).comparisons
    assert (one.called, one.annotators, one.articles, one.pairs) == ("human-human", ("ada", "bo"), 4, 4)
    assert (one.items, one.matched, one.exact) == ((28, 28), 28, 28)
    said = {(f.field, f.measure): (f.value, f.low, f.high) for f in one.figures if f.n}
    assert set(said.values()) == {(1, 1, 1)}
    assert {("", "F1, matched"), ("spans", "F1, overlap"), ("spans", "alpha_u"), ("label", "alpha (nominal)")} <= said.keys()


def test_alpha_of_labels_is_on_matched_items_with_its_n_and_an_interval(two: ProjectFolder) -> None:
    two.seed(*many(4, differ=9))
    found = the(compared(two), "label", "alpha (nominal)")
    # 28 items, 4 LOC by ada; 9 labels differ: all 7 of the first article, 2 of the second (Ana, Bo)
    table = np.array([[48 - 16, 9], [9, 56 - 50]], float)  # PER-PER, PER-LOC, LOC-LOC
    given = table.sum(1)
    expected = 1 - (given.sum() - 1) * 2 * table[0, 1] / (2 * given[0] * given[1])
    assert found.value == pytest.approx(expected)
    assert found.low is not None and found.high is not None and found.low < expected < found.high == 1
    assert (found.n, found.of) == (28, "matched items")


def test_there_is_no_alpha_of_fewer_than_20_items(two: ProjectFolder) -> None:
    two.seed(*many(2))
    found = the(compared(two), "label", "alpha (nominal)")
    assert (found.value, found.n, found.says) == (None, 14, "too few for alpha")
    assert the(compared(two), "spans", "F1, equal spans").value == 1


def test_one_label_alone_is_nothing_to_disagree_about(two: ProjectFolder) -> None:
    words: list[tuple[str, Json]] = [(word, {}) for word in WORDS]
    two.seed(*(by_annotator(f"a{n}", {"ada": words, "bo": words}, f"{TEXT} {n}") for n in range(3)))
    found = the(compared(two), "label", "alpha (nominal)")
    assert (found.value, found.n, found.says) == (None, 21, "one value only: nothing to disagree about")


def test_an_ordered_label_is_a_scale_and_another_by_option(two: ProjectFolder) -> None:
    scale = ["LOW", "MIDDLE", "HIGH"]

    def said(article: int, shift: int) -> list[tuple[str, Json]]:
        return [(word, {"sureness": scale[min(2, (n + article) % 3 + shift)]}) for n, word in enumerate(WORDS)]

    two.seed(*(by_annotator(f"a{n}", {"ada": said(n, 0), "bo": said(n, n % 2)}, f"{TEXT} {n}") for n in range(4)))
    found = the(compared(two), "sureness", "alpha (ordinal)")
    assert found.n == 28 and found.value is not None and 0.5 < found.value < 1
    turned = compared(two, ordinal=["mentions.sureness=HIGH,LOW"])
    assert the(turned, "sureness", "alpha (ordinal)").n < 28  # what stands outside a scale is left out
    assert the(compared(two, ordinal=["mentions.label"]), "label", "alpha (ordinal)").n == 28


def test_values_are_equal_or_not_exactly_and_where_one_states_them(two: ProjectFolder) -> None:
    ada: list[tuple[str, Json]] = [("Ana", {"score": 0.1}), ("Bo", {"score": 2}), ("Rome", {"score": 1}), ("Cy", {})]
    bo: list[tuple[str, Json]] = [("Ana", {"score": 0.1}), ("Bo", {"score": 2.0}), ("Rome", {"score": 1.001}), ("Cy", {})]
    two.seed(by_annotator("a1", {"ada": ada, "bo": bo}))
    found = the(compared(two), "score", "equal")
    assert (found.value, found.n, found.low, found.says) == (2 / 3, 3, None, "one article: no interval")


def test_a_label_that_one_annotator_alone_gives_counts_and_one_that_neither_gives_does_not(two: ProjectFolder) -> None:
    def said(sure: str | None) -> list[tuple[str, Json]]:
        return [(word, {"sureness": sure if n < 5 else None}) for n, word in enumerate(WORDS)]

    schema = json.loads((two.root / "schemas" / "mentions.schema.json").read_text())
    del schema["properties"]["sureness"]["x-ordered"]
    two.schema("mentions", schema)
    two.seed(*(by_annotator(f"a{n}", {"ada": said("LOW"), "bo": said(None)}, f"{TEXT} {n}") for n in range(4)))
    found = the(compared(two), "sureness", "alpha (nominal)")
    assert found.n == 20 and found.value is not None and found.value < 0


def test_spans_found_by_one_alone_lower_f1_and_overlap_forgives_edges(two: ProjectFolder) -> None:
    text = "Old Ana Ray met Bo there."
    sets = [annotation_set("s1", "ada"), annotation_set("s2", "bo")]

    def item(key: str, start: int, end: int, owner: str) -> Json:
        return {"mention_id": key, "spans": [{"start": start, "end": end}], "label": "PER", "annotation_set_id": owner}

    mentions = [item("m1", 0, 11, "s1"), item("m2", 16, 18, "s1"), item("m3", 4, 11, "s2"), item("m4", 16, 18, "s2")]
    mentions.append(item("m5", 19, 24, "s2"))
    two.seed(record("a1", text, annotation_sets=sets, mentions=mentions))
    found = compared(two)
    assert the(found, "spans", "F1, equal spans").value == pytest.approx(2 * 1 / 5)
    assert the(found, "spans", "F1, overlap").value == pytest.approx(2 * 2 / 5)
    (one,) = found.comparisons
    assert (sorted(one.items), one.matched, one.exact) == ([2, 3], 2, 1)


def test_an_item_that_stands_nowhere_is_counted_and_matched_with_none(two: ProjectFolder) -> None:
    sets = [annotation_set("s1", "ada", layer="entities"), annotation_set("s2", "bo", layer="entities")]
    entities = [{"entity_id": f"e{n}", "kind": "PER", "annotation_set_id": f"s{n}"} for n in (1, 2)]
    two.seed(record("a1", TEXT, annotation_sets=sets, entities=entities))
    (found,) = compared(two).comparisons
    assert (found.items, found.unplaced, found.matched) == ((1, 1), 2, 0)


def test_clusters_of_mentions_are_compared_by_the_entity_they_name(two: ProjectFolder) -> None:
    sets = [annotation_set(f"s-{who}", who, layer=layer) | {"annotation_set_id": f"s-{layer}-{who}"}
            for who in ("ada", "bo") for layer in ("mentions", "entities")]  # fmt: skip
    chains = {"ada": {"Ana": 1, "Ana2": 1, "Bo": 2, "Bo2": 2, "Cy": 3}, "bo": {"Ana": 7, "Ana2": 7, "Bo": 8, "Bo2": 7, "Cy": 9}}
    mentions, entities = [], []
    for who, words in chains.items():
        for word, number in words.items():
            mentions.append(named(f"m-{who}-{word}", word, f"s-mentions-{who}", entity_id=f"e-{who}-{number}"))
        entities += [
            {"entity_id": f"e-{who}-{n}", "kind": "PER", "annotation_set_id": f"s-entities-{who}"} for n in set(words.values())
        ]
    two.seed(record("a1", TEXT, annotation_sets=sets, mentions=mentions, entities=entities))
    found = compared(two)
    one, other = ({"Ana", "Ana2"}, {"Bo", "Bo2"}, {"Cy"}), ({"Ana", "Ana2", "Bo2"}, {"Bo"}, {"Cy"})
    from dateline.coreference import b_cubed, ceaf_e, conll_f1, lea, muc

    expected = conll_f1(m(list(one), list(other)) for m in (muc, b_cubed, ceaf_e))
    assert the(found, "entity_id", "CoNLL F1").value == pytest.approx(expected)
    assert the(found, "entity_id", "LEA F1").value == pytest.approx(lea(list(one), list(other)).f1)
    (of_entities,) = [c for c in found.comparisons if c.layer == "entities"]
    assert (of_entities.items, of_entities.matched, of_entities.exact) == ((3, 3), 3, 1)  # by the words of their mentions


def test_what_was_not_annotated_is_no_agreement_on_gaps(two: ProjectFolder) -> None:
    """alpha_u looks at the regions that coverage names."""

    def with_coverage(coverage: Json) -> float | None:
        made = many(4)
        for one in made:
            one["text"]["content"] += " x" * 400
            one["mentions"] = [m for m in one["mentions"] if m["mention_id"] != "m-bo-6"]
            one["coverage"] = [coverage]
        two.seed(*made)
        return the(compared(two), "spans", "alpha_u").value

    whole = with_coverage({"layer": "mentions", "status": "FULL"})
    part = with_coverage({"layer": "mentions", "status": "PARTIAL", "regions": [{"start": 0, "end": len(TEXT)}]})
    assert whole is not None and part is not None and part < whole < 1


@settings(max_examples=15)
@given(st.randoms(use_true_random=False))
def test_who_is_called_how_and_in_which_order_things_stand_changes_nothing(
    tmp_path_factory: Any, shuffled: random.Random
) -> None:
    def figures(names: tuple[str, str], shuffle: bool) -> list[Any]:
        root = tmp_path_factory.mktemp("p")
        folder = annotated(ProjectFolder(root))
        draw = random.Random(seed)
        made = []
        for number in range(3):
            said: dict[str, list[tuple[str, Json]]] = {}
            for name in names:
                chosen = draw.sample(sorted(WORDS), 5)
                said[name] = [(w, {"label": draw.choice(["PER", "LOC"]), "score": draw.randint(0, 1)}) for w in chosen]
            one = by_annotator(f"a{number}", said, f"{TEXT} {number}")
            if shuffle:
                shuffled.shuffle(one["mentions"])
                shuffled.shuffle(one["annotation_sets"])
            made.append(one)
        folder.seed(*made)
        (found,) = compared(folder).comparisons
        return [found.matched, found.exact, *((f.value, f.low, f.high, f.n) for f in found.figures)]

    seed = shuffled.randint(0, 10**6)
    assert figures(("ada", "bo"), False) == figures(("zoe", "al"), True)


# ---- who is compared with whom -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "called"),
    [
        (("HUMAN", "HUMAN"), "human-human"),
        (("MODEL", "MODEL"), "model-model"),
        (("MODEL", "HUMAN"), "human-model"),
        (("HUMAN", "MODEL_ASSISTED"), "human-assisted"),
        (("MODEL_ASSISTED", "MODEL"), "assisted-model"),
    ],
)
def test_agreement_is_called_by_who_agrees(two: ProjectFolder, kinds: tuple[str, str], called: str) -> None:
    (made,) = many(1)
    for one, kind in zip(made["annotation_sets"], kinds, strict=True):
        one["annotator_type"] = kind
    two.seed(made)
    (found,) = compared(two).comparisons
    assert found.called == called and found.as_json()["called"] == f"{called} agreement"


def test_kinds_are_never_pooled_and_each_two_annotators_by_wish(two: ProjectFolder) -> None:
    words: list[tuple[str, Json]] = [(word, {}) for word in WORDS]
    made = by_annotator("a1", {"ada": words, "bo": words, "gpt": words})
    made["annotation_sets"][2]["annotator_type"] = "MODEL"
    two.seed(made)
    assert [(c.called, c.annotators, c.pairs) for c in compared(two).comparisons] == [
        ("human-human", ("ada", "bo"), 1),
        ("human-model", ("ada", "bo", "gpt"), 2),
    ]
    assert [c.annotators for c in compared(two, each=True).comparisons] == [("ada", "bo"), ("ada", "gpt"), ("bo", "gpt")]


def test_a_second_pass_of_one_person_is_no_agreement_of_two(two: ProjectFolder) -> None:
    (made,) = many(1)
    made["annotation_sets"][1]["annotator_id"] = "ada"
    two.seed(made)
    (found,) = compared(two).comparisons
    assert found.called == "same-human"


def test_adjudicated_and_replaced_sets_are_compared_with_none(two: ProjectFolder) -> None:
    (made,) = many(1)
    made["annotation_sets"] += [annotation_set("s-cy", "cy", status="ADJUDICATED"), annotation_set("s-old", "old")]
    made["annotation_sets"][0]["supersedes"] = "s-old"
    made["mentions"].append(named("m-cy", "Ana", "s-cy"))
    two.seed(made)
    (found,) = compared(two).comparisons
    assert found.annotators == ("ada", "bo")


def test_a_set_without_items_says_that_there_is_nothing(two: ProjectFolder) -> None:
    two.seed(by_annotator("a1", {"ada": [("Ana", {})], "bo": []}))
    assert the(compared(two), "spans", "F1, equal spans").value == 0


def test_items_of_nobody_are_left_out_and_counted(two: ProjectFolder) -> None:
    (made,) = many(1)
    made["mentions"][0]["annotation_set_id"] = None
    two.seed(made)
    found = compared(two)
    assert found.notes == ["mentions: 1 item of no annotation set: nobody knows whose, so left out"]
    assert sorted(found.comparisons[0].items) == [6, 7]


def test_a_dataset_gives_what_its_project_gives_also_of_what_stands_apart(two: ProjectFolder) -> None:
    made = many(4, differ=5)
    for one in made:
        one["annotation_sets"].append(annotation_set("s-cy", "cy", status="ADJUDICATED", adjudicator_id="cy"))
        one["mentions"].append(named("m-cy", "Ana", "s-cy"))
    two.seed(*made)
    assert two.rebuild().problems == []
    asked = Request(bootstrap=FEW, ordinal=["mentions.sureness"])
    there = agree(two.root / "dataset", asked)
    here = agree(two.root, asked)
    assert here.comparisons and [c.figures[:6] for c in there.comparisons] == [c.figures[:6] for c in here.comparisons]
    assert the(there, "label", "alpha (nominal)") == the(here, "label", "alpha (nominal)")


# ---- another folder ------------------------------------------------------------------------------------------


def alone(made: Json, annotator: str) -> Json:
    """The record as one annotator's alone."""
    mentions = [m for m in made["mentions"] if m["annotation_set_id"] == f"set-{annotator}"]
    sets = [s for s in made["annotation_sets"] if s["annotator_id"] == annotator]
    return made | {"mentions": mentions, "annotation_sets": sets}


def test_an_independent_pass_lies_in_another_folder(two: ProjectFolder, tmp_path: Path) -> None:
    made = many(4, differ=9)
    two.seed(*made)
    together = compared(two)
    two.seed(*(alone(one, "ada") for one in made), record("a99", "Only here."))
    second = tmp_path / "second" / "pass.jsonl"
    second.parent.mkdir()
    second.write_text("".join(json.dumps(alone(one, "bo")) + "\n" for one in made), encoding="utf-8")
    apart = agree(two.root, Request(bootstrap=FEW), other=second.parent)
    assert apart.comparisons == together.comparisons
    assert apart.notes == [f"{two.root}: 1 article does not stand in {second.parent}"]


def test_another_text_is_refused(two: ProjectFolder, tmp_path: Path) -> None:
    (made,) = many(1)
    two.seed(alone(made, "ada"))
    second = tmp_path / "second.jsonl"
    second.write_text(json.dumps(alone(made, "bo") | {"text": {"content": made["text"]["content"] + "!"}}), encoding="utf-8")
    with pytest.raises(InputError, match=r"second\.jsonl:1: the article 'a00' has another text .* than at seeds/a\.jsonl:1"):
        agree(two.root, Request(), other=second)


def test_other_columns_are_refused(two: ProjectFolder, tmp_path: Path) -> None:
    (made,) = many(1)
    two.seed(alone(made, "ada"))
    (tmp_path / "second").mkdir()
    second = ProjectFolder(tmp_path / "second")  # its mentions name no set, no entity
    second.seed(record("a00", made["text"]["content"]))
    with pytest.raises(InputError, match=r"second: its mentions have no column '\w+', but those of"):
        agree(two.root, Request(), other=second.root)


# ---- what cannot be --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"layers": ["mentiones"]}, "--layer mentiones: no such layer; there are entities, mentions"),
        ({"layers": ["annotation_sets"]}, "--layer annotation_sets: no such layer"),
        ({"ordinal": ["mentions"]}, "--ordinal mentions: name it as LAYER.FIELD"),
        ({"ordinal": ["mentions.size"]}, "--ordinal mentions.size: mentions has no column 'size'"),
        ({"ordinal": ["mentions.score"]}, "--ordinal mentions.score: holds no label"),
        ({"ordinal": ["mentions.label=PER,ORG"]}, "--ordinal mentions.label: has no label 'ORG'"),
        ({"clusters": ["mentions.label"]}, "--clusters mentions.label: refers to no one item"),
    ],
)
def test_what_is_asked_of_no_layer_or_field_is_one_clear_line(two: ProjectFolder, asked: Json, says: str) -> None:
    two.seed(*many(1))
    with pytest.raises(UsageError) as caught:
        compared(two, **asked)
    assert str(caught.value).startswith(says)


def test_records_with_problems_and_articles_that_stand_twice_are_refused(two: ProjectFolder) -> None:
    (made,) = many(1)
    two.seed(made)
    two.seed(made, name="b.jsonl")
    with pytest.raises(InputError, match=r"seeds/b\.jsonl:1: the article 'a00' stands at seeds/a\.jsonl:1 already"):
        compared(two)
    made["mentions"][0]["annotation_set_id"] = "s-nobody"
    two.seed(made, name="b.jsonl")
    with pytest.raises(InputError, match=r"no item of 'annotation_sets' has that id  \[reference\]"):
        compared(two)


def test_an_interval_is_drawn_from_its_seed_and_narrows_with_more_articles() -> None:
    def measure(articles: int) -> Measure:
        sums = {str(n): np.array([n % 2, 1.0]) for n in range(articles)}
        return Measure("f", "equal", sums, lambda s: s[..., 0] / s[..., 1], articles, "items")

    few, more = figure(measure(10), Bootstrap()), figure(measure(400), Bootstrap())
    assert (few.value, more.value) == (0.5, 0.5)
    assert more == figure(measure(400), Bootstrap()) != figure(measure(400), Bootstrap(seed=1))
    assert few.low is not None and few.high is not None and more.low is not None and more.high is not None
    assert more.high - more.low < (few.high - few.low) / 3
    assert more.high - more.low == pytest.approx(2 * 1.96 * 0.5 / 20, rel=0.1)  # of 400 draws, by the normal law


# ---- the command -----------------------------------------------------------------------------------------------


def test_the_command_prints_what_it_found_and_how(two: ProjectFolder, dateline: Run) -> None:
    made = many(4, differ=9)
    made[0]["mentions"] = made[0]["mentions"][:-2]
    for one in made:
        for item in one["mentions"]:
            item["score"] = item["spans"][0]["start"] % 7
            item["sureness"] = ["LOW", "HIGH"][item["spans"][0]["start"] % 2]
        one["mentions"][-1]["sureness"] = "MIDDLE"
    two.seed(*made)
    done = dateline("agreement", cwd=two.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == GOLDEN.read_text(encoding="utf-8")
    told = json.loads(dateline("agreement", "--json", "--layer", "mentions", "--seed", "3", cwd=two.root).stdout)
    assert told["interval"] == {"level": 0.95, "over": "articles", "resamples": 1000, "seed": 3}
    assert told["comparisons"][0]["called"] == "human-human agreement"
    assert "one to one" in told["matching"]


def test_one_set_alone_is_nothing_to_compare(two: ProjectFolder, dateline: Run) -> None:
    (made,) = many(1)
    two.seed(alone(made, "ada"))
    done = dateline("agreement", cwd=two.root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("nothing to compare: no article has two annotation sets of one layer")
    done = dateline("agreement", "--layer", "nothing", cwd=two.root)
    assert (done.returncode, done.stderr) == (2, "error: --layer nothing: no such layer; there are entities, mentions\n")
    done = dateline("agreement", two.root / "nowhere", cwd=two.root)
    assert done.returncode == 2 and "no such file or folder" in done.stderr


@pytest.mark.slow
def test_from_two_folders_of_brat_to_agreement(tmp_path: Path, dateline: Run) -> None:
    """Two annotators in a folder each: imported, rebuilt, compared, in the project and in its dataset."""
    texts = {f"d{n:02}": f"Ana met Bo in Rome on day {n}." for n in range(8)}
    for annotator in ("ada", "bo"):
        folder = tmp_path / "source" / annotator
        folder.mkdir(parents=True)
        for number, (name, text) in enumerate(texts.items()):
            last = "Person" if annotator == "bo" and number == 0 else "Place"
            lines = ["T1\tPerson 0 3\tAna", "T2\tPerson 8 10\tBo", f"T3\t{last} 14 18\tRome"]
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
            (folder / f"{name}.ann").write_text("\n".join(lines[number == 1 and annotator == "bo" :]) + "\n", encoding="utf-8")
    made = dateline(
        "new", "corpus", "--from", "brat", tmp_path / "source", "--option", 'annotators="first"', "--text-license", "CC-BY-4.0",
        cwd=tmp_path,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    done = dateline("agreement", cwd=tmp_path / "corpus")
    assert done.returncode == 0, done.stderr
    assert "human-human agreement of ada, bo" in done.stdout
    assert "8 articles, 8 pairs of sets" in done.stdout and "23 matched, 23 of them with equal spans" in done.stdout
    assert "label    alpha (nominal)   0.90" in done.stdout and "n = 23 matched items" in done.stdout
    here, there = (json.loads(dateline("agreement", *of, "--json", cwd=tmp_path / "corpus").stdout) for of in ([], ["dataset"]))
    for one in there["comparisons"]:  # a dataset does not say which strings carry text, as the id of the source may
        one["figures"] = [f for f in one["figures"] if f["field"] != "source_id"]
    assert there == here
