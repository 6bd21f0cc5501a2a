"""Near-duplicate signatures: what they find, what they do not, and that they hold when the text is gone."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import REPOSITORY, Json, ProjectFolder, mention, record, shared
from conftest import Run
from dateline.compile.signature import Signing, shingles, sign, signing_of, spell, stored
from dateline.importing import import_files
from dateline.project import Splits, find_project

DEFAULT = signing_of(Splits())
VOCABULARY = [f"{a}{b}{c}" for a in "bdfgklmn" for b in ("a", "ei", "o", "u") for c in ("r", "st", "ll", "nd", "ck", "x")]
HAN = [chr(0x4E00 + n) for n in range(0, 3000, 3)]


def agree(one: str, other: str) -> float:
    """The similarity of two texts as their signatures estimate it."""
    a, b = sign(one, DEFAULT), sign(other, DEFAULT)
    assert a and b
    return float((np.frombuffer(a, "<u4") == np.frombuffer(b, "<u4")).mean())


def light_edit(words: list[str], chance: random.Random) -> list[str]:
    """One word in fifty, or one character in a hundred, is another."""
    step, others = (50, VOCABULARY) if words[0] in VOCABULARY else (100, HAN)
    return [chance.choice(others) if n % step == 7 else w for n, w in enumerate(words)]


def cut_end(words: list[str], chance: random.Random) -> list[str]:
    """The last tenth is gone."""
    return words[: len(words) * 9 // 10]


def new_begin(words: list[str], chance: random.Random) -> list[str]:
    """Another first sentence."""
    return chance.choices(VOCABULARY if words[0] in VOCABULARY else HAN, k=12) + words


def rewritten(words: list[str], chance: random.Random) -> list[str]:
    """One in five is another: more than half of all runs of three words, and all of five characters, are gone."""
    others = VOCABULARY if words[0] in VOCABULARY else HAN
    return [chance.choice(others) if n % 5 == 0 else w for n, w in enumerate(words)]


Edit = Callable[[list[str], random.Random], list[str]]


@pytest.mark.parametrize("glue", [" ", ""], ids=["words", "unspaced"])
@pytest.mark.parametrize(
    ("edit", "least", "most"), [(light_edit, 0.97, 1), (cut_end, 0.97, 1), (new_begin, 0.97, 1), (rewritten, 0, 0)]
)
def test_planted_near_duplicates_are_found(edit: Edit, least: float, most: float, glue: str) -> None:
    chance = random.Random(4)
    found = 0
    for _ in range(200):
        words = chance.choices(VOCABULARY if glue else HAN, k=chance.randint(250, 600))
        found += agree(glue.join(words), glue.join(edit(words, chance))) >= Splits().threshold
    assert least <= found / 200 <= most


def test_texts_of_the_same_words_that_share_no_run_are_not_alike() -> None:
    chance = random.Random(5)
    texts = [" ".join(chance.choices(VOCABULARY, k=400)) for _ in range(60)]
    assert max(agree(a, b) for n, a in enumerate(texts) for b in texts[:n]) < 0.2


@given(st.lists(st.sampled_from(VOCABULARY), min_size=30, max_size=60), st.lists(st.sampled_from(VOCABULARY), max_size=60))
def test_the_estimate_is_near_the_share_of_common_shingles(common: list[str], more: list[str]) -> None:
    one, other = " ".join(common), " ".join(common + more)
    a, b = shingles(one, DEFAULT), shingles(other, DEFAULT)
    assert abs(agree(one, other) - len(a & b) / len(a | b)) < 0.25


def test_case_punctuation_line_ends_and_compatibility_forms_do_not_count() -> None:
    plain = 'At least 34 people were killed, "the mayor" said on Zoe\u0308 street.'
    other = "AT LEAST \uff13\uff14 PEOPLE were killed \u2014 \u201cthe\r\nmayor\u201d said; on Zo\u00eb\tStreet"
    assert shingles(plain, DEFAULT) == shingles(other, DEFAULT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One two three four", {"one two three", "two three four"}),
        ("One two", {"one two"}),
        ("朝鮮半島情勢", {"朝 鮮 半 島 情", "鮮 半 島 情 勢"}),
        ("朝鮮半島。情勢", {"朝 鮮 半 島 情", "鮮 半 島 情 勢"}),
        ("かな", {"か な"}),
        ("北京 is the capital 中国", {"北 京", "is the capital", "中 国"}),
        ("ภาษาไทย", {"ภ า ษ า ไ", "า ษ า ไ ท", "ษ า ไ ท ย"}),
        ("대한민국의 수도는 서울", {"대한민국의 수도는 서울"}),
        ("हिन्दी की किताब", {"हिन्दी की किताब"}),
        ("… — !", set()),
    ],
)
def test_shingles_are_runs_of_words_or_of_unspaced_characters(text: str, expected: set[str]) -> None:
    assert shingles(text, DEFAULT) == expected


def test_a_signature_is_the_same_everywhere_and_for_ever() -> None:
    """A stored signature outlives its text: if this fails, `mh1` or rensa's version in it must change."""
    made = sign("Ana met Bo in Rome, 東京都庁舎前 and left.", DEFAULT)
    assert made is not None and len(made) == 512
    assert spell(made, DEFAULT).startswith("mh1.r2.w3.c5.n128:")
    assert hashlib.sha256(made).hexdigest()[:16] == "215c266fb048be85"
    assert sign("?!", DEFAULT) is None


@given(st.text(min_size=1), st.integers(1, 6), st.integers(1, 6), st.sampled_from([16, 128]))
def test_what_is_stored_reads_back_and_says_how_it_was_made(text: str, words: int, characters: int, num_perm: int) -> None:
    signing = Signing(words, characters, num_perm)
    made = sign(text, signing)
    if made is not None:
        assert stored(spell(made, signing)) == (signing.name, signing, made)
        assert stored(spell(made[:-4], signing)) is None


# ---- records -------------------------------------------------------------------------------------------------

LONG = " ".join(random.Random(6).choices(VOCABULARY, k=120))


def standoff(made: Json, signature: str | None = None) -> Json:
    """The record without its text."""
    text = made["text"]["content"]
    said = {
        "content": None,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "n_code_points": len(text),
        "n_bytes": len(text.encode()),
    }
    return made | {"text": said | ({"minhash": signature} if signature else {})}


def groups(folder: ProjectFolder) -> dict[str, tuple[str, str]]:
    """Group and split by article."""
    import pyarrow.parquet as pq

    found = {}
    for path in (folder.root / "dataset" / "articles").glob("*.parquet"):
        for row in pq.read_table(path).to_pylist():
            found[row["article_id"]] = (row["group"], row["split"])
    return found


def test_the_dataset_is_the_same_with_and_without_the_withheld_texts(folder: ProjectFolder) -> None:
    spelled = spell(sign(LONG, DEFAULT) or b"", DEFAULT)
    held = record("w1", LONG, rights={}, mentions=[mention("m1", 0, len(LONG.split()[0]))])
    near = record("a1", LONG + " end", rights={})  # an open one would be a leak
    others = [record(f"b{n}", f"{n} " * 40) for n in range(6)]
    trees = []
    for one in (held, held | {"text": held["text"] | {"minhash": spelled}}, standoff(held, spelled)):
        folder.seed(one, near, *others)
        assert folder.rebuild(sweep=True).problems == []
        assert groups(folder)["w1"] == groups(folder)["a1"]
        trees.append({name: digest for name, digest in folder.tree().items() if not name.endswith("manifest.json")})
    assert trees[0] == trees[1] == trees[2]
    folder.seed(standoff(held), near, *others)
    folder.rebuild(sweep=True)
    assert groups(folder)["w1"][0] == "w1", "without text and signature an article takes part by its group only"


def test_no_table_has_a_column_of_signatures(folder: ProjectFolder) -> None:
    spelled = spell(sign(LONG, DEFAULT) or b"", DEFAULT)
    folder.seed(standoff(record("w1", LONG, rights={}), spelled))
    made = folder.rebuild().manifest
    assert made is not None and "minhash" not in json.dumps([t.features for t in made.tables.values()])
    assert made.splits["signature"] == "mh1.r2.w3.c5.n128" and made.splits["threshold"] == 0.8


def test_near_duplicates_can_be_let_be(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", "near_duplicates = false")
    folder.seed(record("a1", LONG), record("a2", LONG))
    folder.rebuild()
    assert {group for group, _ in groups(folder).values()} == {"a1", "a2"}


def test_a_signature_that_is_not_of_its_text_or_made_otherwise_is_a_problem(folder: ProjectFolder) -> None:
    other = Signing(3, 5, 64)
    good, small = (spell(sign(LONG, s) or b"", s) for s in (DEFAULT, other))
    wrong = record("a1", LONG + " and more words than before") | {}
    wrong["text"]["minhash"] = good
    cut = standoff(record("a2", LONG), good[: len(good) - 8])
    form = standoff(record("a3", LONG), "mh1:xxx")
    folder.seed(wrong, cut, form, standoff(record("a4", LONG), small))
    told = folder.rebuild()
    assert told.manifest is None
    assert [(p.place.line, p.rule, p.place.pointer) for p in told.problems] == [
        (n, rule, "$.text.minhash") for n, rule in enumerate(("text-minhash", "text-minhash", "bad-value", "minhash-made"), 1)
    ]
    assert "mh1.r2.w3.c5.n64" in told.problems[3].says and "mh1.r2.w3.c5.n128" in told.problems[3].says
    folder.settings("[tool.dateline.splits]", "num_perm = 64")
    folder.seed(standoff(record("a4", LONG), small))
    assert folder.rebuild().problems == []


def test_import_stores_the_signature_of_a_withheld_text_only(folder: ProjectFolder) -> None:
    for name, rights in (("w1", "{}"), ("o1", "{text_redistributable = true}")):
        source = f"[article]\narticle_id = '{name}'\nrights = {rights}\n[text]\ncontent = '{LONG}'\n"
        (folder.root / f"{name}.toml").write_text(source, encoding="utf-8")
    import_files(folder.project, "authoring", [folder.root / "w1.toml", folder.root / "o1.toml"], folder.root / "seeds")
    held, free = (json.loads((folder.root / "seeds" / f"{name}.json").read_bytes()) for name in ("w1", "o1"))
    assert held["text"]["minhash"] == spell(sign(LONG, DEFAULT) or b"", DEFAULT)
    assert "minhash" not in free["text"]


def test_sign_adds_signatures_from_texts_at_hand_and_refuses_another_text(dateline: Run, folder: ProjectFolder) -> None:
    made = standoff(record("w1", LONG, rights={}))
    path = folder.seed(made, record("a1"))
    pretty = folder.root / "seeds" / "b.json"
    pretty.write_text(json.dumps(standoff(record("w2", LONG, rights={})), indent=1), encoding="utf-8")
    before = path.read_bytes()
    texts = folder.root / "texts"
    texts.mkdir()
    done = dateline("sign", "--texts", texts, cwd=folder.root)
    assert done.returncode == 1 and done.stderr.count("its text is not at hand") == 2 and path.read_bytes() == before
    (texts / "w1.txt").write_text("Another text.", encoding="utf-8")
    done = dateline("sign", "--texts", texts, cwd=folder.root)
    assert done.returncode == 1 and "[text-hash]" in done.stderr and "Another" not in done.stderr and path.read_bytes() == before
    for name in ("w1", "w2"):
        (texts / f"{name}.txt").write_text(LONG, encoding="utf-8")
    done = dateline("sign", "--texts", texts, "--dry-run", cwd=folder.root)
    assert done.returncode == 0 and done.stdout == "w1\nw2\n" and path.read_bytes() == before
    told = json.loads(dateline("sign", "--texts", texts, "--json", cwd=folder.root).stdout)
    assert told == {"success": True, "signed": ["w1", "w2"], "kept": [], "missing": [], "problems": []}
    first, second = path.read_text(encoding="utf-8").splitlines()
    spelled = spell(sign(LONG, DEFAULT) or b"", DEFAULT)
    assert json.loads(first) == made | {"text": made["text"] | {"minhash": spelled}}
    assert second == before.decode().splitlines()[1]
    assert json.loads(pretty.read_bytes())["text"]["minhash"] == spelled
    assert dateline("sign", cwd=folder.root).returncode == 0, "what is stored needs no text any more"
    assert folder.rebuild().problems == []


def test_the_withheld_record_carries_the_signature_of_its_text() -> None:
    (path,) = (REPOSITORY / "seeds" / "articles").glob("ap-*.json")
    made = json.loads(path.read_bytes())
    known = stored(made["text"]["minhash"])
    assert known is not None and known[0] == signing_of(find_project(REPOSITORY).settings.splits).name
    text: Path = shared() / "restricted" / f"{made['article_id']}.txt"
    if not text.is_file():
        pytest.skip("the withheld text is not on this machine")
    assert known[2] == sign(text.read_bytes().decode(), DEFAULT)


@pytest.mark.parametrize("change", [{"num_perm": 64}, {"shingle_words": 4}, {"shingle_characters": 4}])
def test_signatures_made_otherwise_have_another_name(change: dict[str, int]) -> None:
    assert signing_of(dataclasses.replace(Splits(), **change)).name != DEFAULT.name  # type: ignore[arg-type]
