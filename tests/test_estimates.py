"""`dateline estimates`: which figures are disputed, who said what when, and the chart of it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from building import REPOSITORY
from conftest import Run
from dateline import edtf_dates
from dateline.cli.estimates_ import command
from dateline.describe.figures import (
    computed_in_words,
    figure_in_words,
    notice_of,
    number_in_words,
    source_in_words,
    time_in_words,
)
from dateline.errors import LoadError, UsageError
from dateline.figures_shown import FiguresOf, Shown, figures_of
from figures_at_hand import ALONE, CROWD, CROWD_PAIRS, Row, estimate, link, pair, write_figures

GOLDEN = Path(__file__).parent / "figures"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_figures(tmp_path_factory.mktemp("figures") / "dataset")


@pytest.fixture(scope="module")
def figures(dataset: Path) -> FiguresOf:
    return figures_of(dataset)


# ---- on the terminal -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "golden"),
    [
        ([], "estimands.txt"),
        (["orrin-crowd"], "orrin-crowd.txt"),
        (["orrin-dock-strike/orrin-crowd", "--json"], "orrin-crowd.json"),
    ],
)
def test_what_is_printed(words: list[str], golden: str, dateline: Run, dataset: Path) -> None:
    done = dateline("estimates", *words, "--dataset", dataset)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (GOLDEN / golden).read_text(encoding="utf-8")


def test_all_names_what_is_left_out_else(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for every in (False, True):
        command(None, dataset, "FATALITIES", every, None, Path(), json=True)
        found.append(json.loads(capsys.readouterr().out)["estimands"])
    assert found[0] == []
    [dead] = found[1]
    assert (dead["name"], dead["n_estimates"], dead["lowest"], dead["highest"]) == ("varn-dead", 1, 14, 14)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            {"estimand": "injured"},
            "2 estimands are called 'injured'; give one of varn-valley-flood/injured, orrin-dock-strike/injured",
        ),
        ({"estimand": "orin-crowd"}, "has no estimand 'orin-crowd'; did you mean orrin-crowd, orrin-dock-strike/orrin-crowd?"),
        ({"estimand": "zzz"}, "has no estimand 'zzz'; `dateline estimates --all` lists all"),
        ({"measure": "CROWDS"}, "there are CROWD, FATALITIES, INJURED, MISSING; did you mean CROWD?"),
        ({"estimand": "orrin-crowd", "measure": "CROWD"}, "--measure is for the table of all estimands"),
        ({"estimand": "orrin-crowd", "plot": Path("chart.pdf")}, "--plot is chart.pdf; the name of a chart ends in .svg or .png"),
        ({"plot": Path("chart.svg")}, "--plot draws one estimand; name it"),
    ],
)
def test_what_cannot_be_shown_is_said(words: dict[str, Any], says: str, dataset: Path) -> None:
    asked: dict[str, Any] = {"estimand": None, "measure": None, "plot": None}
    with pytest.raises(UsageError, match=re.escape(says)):
        command(**(asked | words), dataset=dataset, every=False, project=Path(), json=False)


@pytest.mark.parametrize("path", ["nowhere/chart.svg", "taken.png"])
def test_a_chart_that_cannot_be_written_is_exit_2_in_one_line(path: str, dateline: Run, dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert", reason="the extra plot is not installed")
    (tmp_path / "taken.png").mkdir()
    done = dateline("estimates", "orrin-crowd", "--plot", path, "--dataset", dataset, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        rf"error: {re.escape(path)}: cannot be written: .+; name a file in a folder that takes one\n", done.stderr
    )
    assert [p.name for p in tmp_path.iterdir()] == ["taken.png"]


def test_without_the_extra_the_chart_says_what_to_install(dateline: Run, dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "vl_convert.py").write_text("raise ModuleNotFoundError('no', name='vl_convert')")
    path = f"{tmp_path}:{REPOSITORY / 'src'}"
    done = dateline("estimates", "orrin-crowd", "--plot", tmp_path / "chart.svg", "--dataset", dataset, PYTHONPATH=path)
    assert (done.returncode, done.stderr) == (2, 'error: --plot needs the package vl_convert: pip install "dateline[plot]"\n')
    assert not (tmp_path / "chart.svg").exists()


def test_a_dataset_without_estimates_says_how_to_declare_them(tmp_path: Path) -> None:
    for without in ("estimates", "estimands"):
        with pytest.raises(LoadError, match=r"has no table of estimates; declare it under \[tool\.dateline\.estimates\]"):
            figures_of(write_figures(tmp_path / without, without=[without]))


def test_a_damaged_or_missing_file_is_named(tmp_path: Path) -> None:
    folder = write_figures(tmp_path)
    (folder / "estimates" / "test.parquet").write_bytes(b"PAR1 no PAR1")
    with pytest.raises(LoadError, match=r"estimates/test\.parquet: cannot be read as estimates"):
        figures_of(folder).show({"estimand_id": "orrin-dock-strike/orrin-crowd"})
    shutil.rmtree(folder / "estimands")
    with pytest.raises(LoadError, match=r"estimands/t\w+\.parquet: the manifest names it, but it is not there"):
        figures_of(folder).estimands()


def test_what_speaks_of_no_pairs_articles_or_annotators_is_shown_without(tmp_path: Path) -> None:
    figures = figures_of(write_figures(tmp_path, ALONE, [], without=["articles", "annotation_sets"]))
    shown = figures.show(figures.find("varn-dead"))
    assert (shown.pairs, shown.provenance.fictional, shown.provenance.statuses) == ([], None, ())
    assert figures.estimands()[0]["n_pairs"] == 0


def test_hostile_names_cannot_disturb_a_terminal(tmp_path: Path, dateline: Run) -> None:
    evil = "<script>alert(1)</script>\u202e\x1b[31m & \ud800".encode("utf-8", "replace").decode()
    rows = [estimate("harbour-1#c1", "crowd", "BARE", 9, source=evil), estimate("harbour-1#c2", "crowd", "BARE", 9)]
    done = dateline(
        "estimates", "crowd", "--dataset", write_figures(tmp_path / "d", rows, [pair(rows[0], rows[1], "EQUAL", "EQUAL")])
    )
    assert done.returncode == 0
    assert "<script>alert(1)</script>\\u202e\\x1b[31m & ?" in done.stdout
    assert all(line.isprintable() for line in done.stdout.splitlines())
    # columns are aligned by what is shown, not by what was escaped
    first, second = (line for line in done.stdout.splitlines() if line.startswith("  time not stated"))
    assert first.index("certain, affirmed") == second.index("certain, affirmed")


# ---- in words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "hedge", "more", "words"),
    [
        (("BARE", 2400), None, {}, "2,400"),
        (("EXACT", 1870), None, {}, "exactly 1,870"),
        (("APPROX", 10000), "AROUND", {}, "about 10,000"),
        (("APPROX", 3000), "BELOW", {}, "nearly 3,000"),
        (("APPROX", 3000), "ABOVE", {}, "a little over 3,000"),
        (("APPROX", 3000), None, {}, "about 3,000"),
        (("LE", 12000), None, {}, "at most 12,000"),
        (("LE", 12000), "AROUND", {}, "at most about 12,000"),
        (("LT", 50), None, {}, "less than 50"),
        (("GE", "2.50"), None, {}, "at least 2.5"),
        (("GT", 4000), None, {}, "more than 4,000"),
        (("RANGE", 60, 80), None, {}, "between 60 and 80"),
        (("RANGE", 60, 80), "AROUND", {}, "between about 60 and 80"),
        (("RANGE", 60, None), None, {}, "60 or more"),
        (("RANGE", None, 80), None, {}, "up to 80"),
        (("VAGUE",), None, {}, "no number given"),
        (("EXACT", 0), None, {"is_denial": True, "polarity": "NEG"}, "none (denial)"),
        (("EXACT", 0), None, {}, "exactly 0"),
        (("BARE", 10000), None, {"is_denial": True, "polarity": "NEG"}, "not 10,000 (denial)"),
        (("BARE", 10000), None, {"polarity": "NEG"}, "not 10,000"),
        (("EXACT", -3), None, {}, "exactly -3"),
    ],
)
def test_a_number_is_said_as_the_text_bounds_it(given: tuple[Any, ...], hedge: str | None, more: Row, words: str) -> None:
    assert number_in_words(estimate("harbour-1#c1", "crowd", *given, hedge_type=hedge, **more)) == words


def test_a_number_in_another_unit_says_what_it_comes_to_or_that_it_cannot_be_compared() -> None:
    estimand = {"unit": "{person}"}
    thousands = estimate("harbour-1#c1", "crowd", "BARE", "2.5", unit="{thousand persons}", comparable_value=Decimal(2500))
    assert figure_in_words(thousands, estimand) == "2.5 thousand persons (= 2,500 person)"
    assert figure_in_words({**thousands, "comparable_value": None}, estimand) == "2.5 thousand persons (not comparable)"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"chain": [link("Robert"), link("Russia")], "principals": ["Russia"]}, "Robert, citing Russia"),
        ({"chain": [link("Pat")], "principals": ["Pentagon"]}, "Pat [Pentagon]"),
        ({"chain": [link("A", "B")], "principals": ["A", "B"]}, "A and B"),
        ({"chain": [link(), link("B")], "principals": ["B"]}, "an unnamed source, citing B"),
        ({"chain": [], "source_names": [], "principals": [], "is_authorial": True}, "the article's own words"),
        ({"chain": [], "source_names": [], "principals": []}, "no source named"),
    ],
)
def test_who_said_it(fields: Row, words: str) -> None:
    assert source_in_words(estimate("harbour-1#c1", "crowd", "BARE", 1, **fields)) == words


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "time not stated"),
        ({"as_of": "2026-05-17", "as_of_basis": "STATED"}, "2026-05-17 (stated)"),
        ({"as_of": "2026-05?", "as_of_basis": "INFERRED"}, "2026-05? (inferred, uncertain)"),
        ({"as_of": "2026-05-18", "as_of_basis": "DEFAULT_DCT"}, "2026-05-18 (taken from the date of publication)"),
        ({"utterance_time": "2026-05-18", "utterance_basis": "STATED"}, "said 2026-05-18 (stated)"),
    ],
)
def test_an_unstated_time_is_never_the_publications_date(fields: Row, words: str) -> None:
    row = estimate("harbour-1#c1", "crowd", "BARE", 1, **fields)
    assert row["published"] is not None
    assert time_in_words(row) == words


@pytest.mark.parametrize(
    ("edtf", "words"),
    [
        ("2026", "2026"),
        ("2026-05", "May 2026"),
        ("2026-05-07", "7 May 2026"),
        ("2024-10-01/2024-10-23", "1 to 23 October 2024"),
        ("2024-09-30/2024-10-01", "30 September 2024 to 1 October 2024"),
        ("2026-05~", "May 2026 (approximate)"),
        ("2026%", "2026 (uncertain and approximate)"),
        ("../2024", "../2024"),
        ("2024-21", "2024-21"),
        ("2024-99-99", "2024-99-99"),
    ],
)
def test_dates_for_readers(edtf: str, words: str) -> None:
    assert edtf_dates.words(edtf) == words


def test_dates_have_bounds_to_be_ordered_by() -> None:
    assert edtf_dates.bounds("2024-10") == ((2024, 10, 1), (2024, 10, 31))
    assert edtf_dates.bounds("2024-10-01/2024-10-23") == ((2024, 10, 1), (2024, 10, 23))
    assert edtf_dates.bounds("../2024") == ((float("-inf"), 0, 0), (2024, 12, 31))
    assert edtf_dates.bounds("no date") is None


def test_estimates_stand_in_order_of_time_the_unstated_last(tmp_path: Path) -> None:
    times: dict[str, Row] = {
        "harbour-1#c10": {},
        "harbour-1#c9": {},
        "meridian-2#c1": {"utterance_time": "2026-05-01"},
        "meridian-2#c2": {"as_of": "2026-05-17", "utterance_time": "2026-05-19"},
        "meridian-2#c3": {"as_of": "2026-05-17", "utterance_time": "2026-05-18"},
        "meridian-2#c4": {"as_of": "2026-05"},
        "meridian-2#c5": {"as_of": "../2026-01"},
    }
    rows = [estimate(place, "crowd", "BARE", 1, **fields) for place, fields in times.items()]
    figures = figures_of(write_figures(tmp_path, rows, []))
    order = [row["claim_id"] for row in figures.show(figures.find("crowd")).estimates]
    assert order == ["c5", "c4", "c3", "c2", "c1", "c9", "c10"]


def test_the_relation_computed_names_its_tolerance() -> None:
    assert computed_in_words(CROWD_PAIRS[0]) == "cannot both be (tolerance 5 %), the first is lower by 2,500 (62.5 %)"
    equal = pair(CROWD[0], CROWD[6], "EQUAL", "EQUAL")
    assert computed_in_words(equal) == "say the same (tolerance 5 %), points equal"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"fictional": True, "some_fictional": True, "annotators": ("MODEL",), "statuses": ("PRIMARY",)},
         "Fictional: people and places are invented. Annotated by a model. Not adjudicated."),
        ({"fictional": None, "some_fictional": True, "annotators": ("HUMAN", "MODEL"), "statuses": ("ADJUDICATED", "PRIMARY")},
         "In part fictional: some people and places are invented. Annotated by people and by a model. Not adjudicated."),
        ({"fictional": True, "some_fictional": True, "annotators": ("MODEL",), "statuses": ("ADJUDICATED",),
          "adjudicators": ("model-7",)},
         "Fictional: people and places are invented. Annotated by a model. Adjudicated by model-7."),
        ({"fictional": False, "some_fictional": False, "annotators": ("HUMAN",), "statuses": ("ADJUDICATED",)},
         "Annotated by people. Adjudicated."),
        ({"fictional": None, "some_fictional": False}, ""),
    ],
)  # fmt: skip
def test_the_notice_says_what_the_dataset_says_and_no_more(facts: Row, words: str) -> None:
    assert notice_of(**facts) == words


# ---- the chart -----------------------------------------------------------------------------------------------


def drawn(shown: Shown, notice: str = "") -> str:
    pytest.importorskip("vl_convert", reason="the extra plot is not installed")
    from dateline.describe.figures_chart import chart_svg, estimates_chart

    return chart_svg(estimates_chart(shown.estimand, shown.estimates, notice=notice), shown.estimand, shown.estimates)


def marks(svg: str) -> list[str]:
    """What the described marks say, in the order of the page."""
    found = [
        e for e in ElementTree.fromstring(svg).iter() if e.get("aria-roledescription") in ("point", "rect mark", "text mark")
    ]
    return [str(e.get("aria-label")) for e in found]


def words_of(svg: str) -> str:
    return " ".join("".join(e.itertext()) for e in ElementTree.fromstring(svg).iter(f"{SVG}text"))


def chart_of(tmp_path: Path, *rows: Row) -> str:
    figures = figures_of(write_figures(tmp_path / "dataset", rows, []))
    return drawn(figures.show(figures.find(rows[0]["estimand_id"])))


def test_the_chart_is_svg_with_a_title_a_table_in_words_and_one_mark_per_estimate(figures: FiguresOf) -> None:
    shown = figures.show(figures.find("orrin-crowd"))
    svg = drawn(shown, notice="Fictional.")
    root = ElementTree.fromstring(svg)
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and title.text == "orrin-dock-strike/orrin-crowd"
    assert desc is not None and desc.text is not None and len(desc.text.splitlines()) == 1 + len(CROWD)
    assert root.get("aria-labelledby") == title.get("id") and root.get("aria-describedby") == desc.get("id")
    told = marks(svg)
    assert len(told) == len(CROWD)
    for row in CROWD:
        assert sum(f"{row['article_id']}#{row['claim_id']}" in re.split("; ", mark) for mark in told) == 1
    said = words_of(svg)
    for words in ("As of 17 May 2026 (inferred)", "As of May 2026 (approximate, stated)", "Said 18 May 2026 (stated)",
                  "Time not stated", "more than 4,000", "none (denial)", "left out: reported,", "crowd (person)", "1,000",
                  "Fictional.", "2 of 3 pairs disjoint, 1 judged conflict", "Corbel Terminals [Corbel Group]"):  # fmt: skip
        assert words in said


def test_the_same_rows_give_the_same_bytes_and_no_address_but_that_of_svg(figures: FiguresOf) -> None:
    shown = figures.show(figures.find("orrin-crowd"))
    svg = drawn(shown)
    assert svg == drawn(shown)
    assert set(re.findall(r"https?://[^\"' ]+", svg)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_charts_can_stand_in_one_page(figures: FiguresOf) -> None:
    ids = [re.findall(r'\bid="([^"]+)"', drawn(figures.show(figures.find(name)))) for name in ("orrin-crowd", "varn-missing")]
    assert len(ids[0]) > 3 and not set(ids[0]) & set(ids[1])
    used = set(re.findall(r"url\(#([^)]+)\)", drawn(figures.show(figures.find("orrin-crowd")))))
    assert used and used <= set(ids[0])


def test_texts_of_the_chart_do_not_lie_on_each_other(figures: FiguresOf, tmp_path: Path) -> None:
    names = ["A very long name of a Ministry of Agriculture, Fisheries, Forests, Towns and Islands of the Far North " * 3, "B"]
    rows = [
        estimate(f"harbour-1#c{n}", "crowd", "BARE", 5, source=name, left_out="NONFACTUAL_CHAIN") for n, name in enumerate(names)
    ]
    for svg in (drawn(figures.show(figures.find("orrin-crowd"))), chart_of(tmp_path, *rows)):
        places = re.findall(
            r'<text text-anchor="start" transform="translate\(([-\d.]+),([-\d.]+)\)"[^>]*font-size="(\d+)px"', svg
        )
        columns: dict[str, list[tuple[float, float]]] = {}
        for x, y, size in places:
            columns.setdefault(x, []).append((float(y), float(size)))
        assert len(columns) >= 2
        for lines in columns.values():
            lines.sort()
            assert all(below - above >= size * 0.9 for (above, size), (below, _) in pairwise(lines))


def test_hostile_names_are_text_in_the_chart(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script> & \u202eevil\x07 ]]> --> \"'"
    svg = chart_of(tmp_path, estimate("harbour-1#c1", "crowd", "BARE", 9, source=evil))
    assert "<script" not in svg and "\u202e" not in svg and "\x07" not in svg
    assert "<script>alert(1)</script>" in words_of(svg)
    assert "\\u202eevil\\x07" in marks(svg)[0]


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([30, 9000], "The axis is logarithmic."),
        ([0, 30, 9000], "The axis is logarithmic; 0 is drawn at its left end."),
        ([30, 3000], None),
        ([100_000, 100_400], "The axis does not start at 0."),
        ([-5, 700], None),
        ([0], None),
    ],
)
def test_the_axis_says_where_it_is_no_plain_one(values: list[int], note: str | None, tmp_path: Path) -> None:
    said = words_of(chart_of(tmp_path, *(estimate(f"harbour-1#c{n}", "crowd", "BARE", v) for n, v in enumerate(values))))
    assert (note in said) if note else ("The axis" not in said)


def test_what_has_no_number_at_all_is_still_drawn(tmp_path: Path) -> None:
    svg = chart_of(tmp_path, estimate("harbour-1#c1", "crowd", "VAGUE", left_out="VAGUE"))
    assert "no number given" in marks(svg)[0]
    assert ">?</text>" in svg


@pytest.mark.slow
def test_the_command_writes_svg_and_png(dateline: Run, dataset: Path, tmp_path: Path, figures: FiguresOf) -> None:
    pytest.importorskip("vl_convert", reason="the extra plot is not installed")
    for name in ("chart.svg", "chart.PNG"):
        done = dateline("estimates", "orrin-crowd", "--dataset", dataset, "--plot", tmp_path / name)
        assert (done.returncode, done.stderr) == (0, "")
    assert len(marks((tmp_path / "chart.svg").read_text(encoding="utf-8"))) == len(CROWD)
    assert (tmp_path / "chart.PNG").read_bytes().startswith(b"\x89PNG\r\n")


def test_the_chart_in_the_docs_is_what_is_drawn_today() -> None:
    kept = (REPOSITORY / "docs" / "estimates.svg").read_text(encoding="utf-8")
    figures = figures_of(REPOSITORY / "dataset")
    shown = figures.show(figures.find("orrin-strikers"))
    svg = drawn(shown, notice_of(**asdict(shown.provenance)))
    # not byte for byte: where a word ends depends on the fonts of the machine
    again = "draw it again: dateline estimates orrin-strikers --plot docs/estimates.svg"
    assert (marks(kept), words_of(kept)) == (marks(svg), words_of(svg)), again
    assert "Fictional" in words_of(kept) and "Annotated by a model" in words_of(kept)
