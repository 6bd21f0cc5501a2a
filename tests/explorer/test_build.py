"""`dateline site`: whole or not at all, escaped, in pages, without what may not be passed on, without a request to anybody."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import ProjectFolder, mention, record
from dateline import siting
from dateline.errors import BuildError, LoadError, UsageError
from dateline.hydrating import hydrate_dataset
from dateline.manifest import read_manifest
from dateline.project import Project
from dateline.site.contrast import marked
from dateline.site.links import Links, anchor, bucket, file_of, token
from dateline.site.rendering import direction, visible
from dateline.site.search import words_of
from dateline.site.segments import Mark, segments
from dateline.site_leaks import SiteScan
from dateline.siting import make_site
from site_pages import dead_links, parsed

MANY = 230
HOSTILE = '<script>alert(1)</script> & "quotes" \' <img src=x onerror=alert(2)> \u202egnp.exe\u2069 \x07 end'
SECRET = "Quillon Farrowby spoke of ninety heavy lorries at dawn, while Odile Brankmoor counted the empty barges below."
TEXT = "Ana Ruiz met Bo in Rome. Bo left."


def _mentions(n: int) -> list[dict[str, Any]]:
    """Overlapping ones, a nested one, and a discontinuous one."""
    return [
        mention("m1", 0, 8, remark=f"remark {n}"),
        mention("m2", 4, 8, parent_id="m1"),
        mention("m3", 13, 15, spans=[{"start": 13, "end": 15}, {"start": 25, "end": 27}]),
    ]


def _many(folder: ProjectFolder) -> None:
    records = [record(f"a{n:03}", TEXT, language="en", mentions=_mentions(n)) for n in range(MANY - 3)]
    records[0]["mentions"][0]["remark"] = HOSTILE
    records.append(record("hostile", HOSTILE, language="he", mentions=[mention("m1", 0, 8, remark="javascript:alert(3)")]))
    records.append(record("long", "word " * 20_000, mentions=[mention("m1", 0, 4, remark="x" * 100_000)]))
    records.append(
        record("secret", SECRET, mentions=[mention("m1", 0, 16, remark="said by him")], rights={"rights_holder": "Wire"})
    )
    folder.seed(*records)
    built = folder.rebuild()
    assert built.problems == []


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """A stranger's project: one layer, no stories, no claims; some articles are hostile, one is withheld."""
    folder = ProjectFolder(tmp_path_factory.mktemp("many"))
    folder.settings('title = "Many & <b>more</b>"')
    _many(folder)
    return folder


@pytest.fixture(scope="module")
def site(many: ProjectFolder) -> Path:
    """Its site."""
    made = make_site(None, many.root / "site", many.root)
    assert (made.articles, made.scanned, made.not_at_hand) == (MANY, 1, 0)
    return made.out


@pytest.fixture(scope="module")
def flagship_site(small_flagship: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a part of this corpus."""
    return make_site(str(small_flagship.dataset), tmp_path_factory.mktemp("flagship-site") / "site").out


def _page(site: Path, article_id: str) -> str:
    return (site / Links().article(article_id)).read_text(encoding="utf-8")


def _tree(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()
    }


# ---- what there is -------------------------------------------------------------------------------------------


def test_lists_show_each_article_once_a_hundred_a_page(site: Path) -> None:
    lists = sorted((site / "articles").glob("*.html"))
    assert [p.name for p in lists] == ["index.html", "page-2.html", "page-3.html"]
    shown = [link for p in lists for link in re.findall(r'<th scope="row"><a href="\.\./([^"]+)"', p.read_text(encoding="utf-8"))]
    assert len(shown) == len(set(shown)) == MANY
    assert all((site / address).is_file() for address in shown)


def test_every_link_and_every_fragment_leads_somewhere(site: Path, flagship_site: Path) -> None:
    assert dead_links(site) == []
    assert dead_links(flagship_site) == []


def test_ids_of_a_page_are_distinct(flagship_site: Path) -> None:
    twice = {name: page.path for name, page in parsed(flagship_site).items() if len(page.ids) != len(set(page.ids))}
    assert twice == {}


def test_pages_of_what_a_project_lacks_are_neither_made_nor_named(site: Path) -> None:
    assert not (site / "stories").exists() and not (site / "contrasts").exists()
    overview = (site / "index.html").read_text(encoding="utf-8")
    assert "stories/index.html" not in overview and "contrasts/index.html" not in overview and "articles/index.html" in overview


def test_text_stands_on_its_page_whole_whatever_overlaps(site: Path, many: ProjectFolder) -> None:
    pages = parsed(site)
    for article_id, text in (("a001", TEXT), ("hostile", HOSTILE), ("long", "word " * 20_000)):
        assert "".join(pages[Links().article(article_id)].in_text) == visible(text)


def test_a_nested_item_stands_within_its_parent_and_both_parts_of_a_broken_span_carry_it(site: Path) -> None:
    page = _page(site, "a001")
    outer, inner = page.index('id="mentions.m1"'), page.index('id="mentions.m2"')
    assert 'class="rows nested"' in page[outer:inner]
    assert len(re.findall(r'data-rows="[^"]*mentions\.m3[^"]*"', page)) == 2
    assert re.search(r'class="s [^"]*to-be-continued[^"]*" id="at-13"', page) and re.search(
        r'class="s [^"]*continued[^"]*" id="at-25"', page
    )


def test_a_story_shows_its_outlets_and_its_ledger(flagship_site: Path) -> None:
    page = parsed(flagship_site)[Links().group("stories", "lomvera-referendum")]
    words = " ".join(page.said)
    assert page.tags.count("article") == 3
    facts = [i for i in page.ids if i.startswith("facts.")]
    assert len(facts) > 3
    assert any("#claims.c" in link.get("href", "") for link in page.links)
    assert "The facts, and who tells them" in words


def test_every_row_of_every_table_is_found_by_its_id(flagship_site: Path, small_flagship: Project) -> None:
    found: dict[str, str] = {}
    for path in (flagship_site / "rows").glob("*.js"):
        script = path.read_text("utf-8")
        found |= json.loads(script[script.index("{") : script.rindex("}") + 1])
    manifest = read_manifest(small_flagship.dataset)
    for name, link in manifest.links.items():
        paths = [small_flagship.dataset / file["path"] for file in manifest.tables[name].files]
        owner = "article_id" if link["level"] == "article" else link["key"]
        for row_id in {value for path in paths for value in pq.read_table(path, columns=[owner])[owner].to_pylist()}:
            assert row_id in found or row_id.partition("#")[0] in found, (name, row_id)
    page, _, fragment = found["FATALITIES"].partition("#")
    assert f'id="{fragment}"' in (flagship_site / page).read_text("utf-8")


def test_a_contrast_set_marks_the_edited_words(flagship_site: Path) -> None:
    page = (flagship_site / Links().group("contrasts", "date-camp-said-00")).read_text(encoding="utf-8")
    assert re.search(r"<del>[^<]+</del>", page) and re.search(r"<ins>[^<]+</ins>", page)
    assert "<strong>YES</strong>" in page and "<strong>NO</strong>" in page


def test_the_same_release_gives_the_same_bytes(many: ProjectFolder, site: Path, tmp_path: Path) -> None:
    again = make_site(str(many.root), tmp_path / "again")
    assert _tree(again.out) == _tree(site)
    assert again.bytes == sum(p.stat().st_size for p in again.out.rglob("*") if p.is_file())


def test_no_folder_of_a_site_grows_with_the_corpus(site: Path) -> None:
    assert max(len(list(folder.iterdir())) for folder in (site / "articles").iterdir() if folder.is_dir()) < 10


# ---- safety --------------------------------------------------------------------------------------------------


def test_nothing_from_data_becomes_markup(site: Path) -> None:
    for name, page in parsed(site).items():
        assert page.tags.count("script") == 1 and "img" not in page.tags and "b" not in page.tags, name
        assert not [a for _, a, _ in page.attributes if a.startswith("on") or a == "style"], name


def test_only_the_web_is_linked_to_and_no_page_loads_from_it(site: Path, flagship_site: Path) -> None:
    for folder in (site, flagship_site):
        for name, page in parsed(folder).items():
            assert [u for u in page.loaded if (":" in u and u != "data:,") or u.startswith("//")] == [], name
            for link in page.links:
                scheme = re.match(r"[a-zA-Z][\w+.-]*:", link["href"])
                assert not scheme or scheme[0] in ("http:", "https:"), (name, link)
                assert not scheme or {"noopener", "noreferrer"} <= set(link["rel"].split()), (name, link)
        for sheet in folder.rglob("*.css"):
            assert not re.findall(r"url\(|@import", sheet.read_text(encoding="utf-8"))
        for script in folder.glob("*.js"):
            assert not re.findall(
                r"https?://(?!www\.w3\.org/2000/svg)|fetch\(|XMLHttpRequest|innerHTML|eval\(", script.read_text("utf-8")
            )


def test_every_page_forbids_scripts_and_styles_from_elsewhere(site: Path) -> None:
    for name, page in parsed(site).items():
        policy = [v for tag, a, v in page.attributes if tag == "meta" and a == "content" and "default-src 'none'" in v]
        assert len(policy) == 1 and "script-src 'self'" in policy[0] and "unsafe" not in policy[0], name


def test_controls_and_marks_of_direction_are_shown_as_escapes(site: Path) -> None:
    for path in (*site.rglob("*.html"), *site.rglob("*.js")):
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x07]", path.read_text(encoding="utf-8")), path
    assert "\\u202egnp.exe\\u2069" in _page(site, "hostile")
    assert 'dir="rtl"' in _page(site, "hostile") and 'lang="he"' in _page(site, "hostile")


def test_long_values_are_cut_behind_an_expander(site: Path) -> None:
    assert re.search(r'<details class="long"><summary><bdi>x{400}</bdi>', _page(site, "long"))


@pytest.mark.parametrize(
    "words", ["../../etc/passwd", "A", "a", "ß", "con", "x" * 300, "a b", "\u202e", ".hidden", "a/b", "a\\b"]
)
def test_any_name_has_a_safe_file_and_fragment_of_its_own(words: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,120}", file_of(words)) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", token(words))
    assert file_of(words).lower() != file_of(words + "x").lower() and anchor("t", words) != anchor("t", words + "x")


def test_names_that_differ_in_case_alone_have_different_files() -> None:
    assert file_of("abc").lower() != file_of("ABC").lower() != file_of("Abc").lower()


# ---- rights --------------------------------------------------------------------------------------------------


def test_a_withheld_article_shows_its_structure_and_no_word(site: Path) -> None:
    page = _page(site, "secret")
    assert page.count("░") == len(SECRET) and 'id="mentions.m1"' in page and "0 to 16" in page
    for path in site.rglob("*"):
        if path.is_file():
            said = path.read_text(encoding="utf-8").casefold()
            assert "farrowby" not in said and "brankmoor" not in said and "said by him" not in said, path


def test_a_page_that_repeats_a_withheld_text_is_refused_without_quoting_it() -> None:
    nine = "heavy lorries at dawn, while Odile Brankmoor counted"
    scan = SiteScan({"w1": " ".join([SECRET, SECRET.replace("ninety", "eighty"), SECRET.replace("dawn", "dusk")])})
    with pytest.raises(BuildError) as caught:
        scan.page("a.html", f"<p>heavy <b>lorries</b> {nine[14:]}</p>", shows_texts=False)
    assert "w1" in str(caught.value) and "lorries" not in str(caught.value)
    scan.page("a.html", f"<p>{nine}</p>", shows_texts=True)  # an open text may quote what a withheld one quotes
    with pytest.raises(BuildError):
        scan.page("a.html", f"<p>{SECRET} {SECRET.replace('ninety', 'eighty')}</p>", shows_texts=True)
    with pytest.raises(BuildError):
        scan.data("search/d-000.js", [["x", nine]])


def test_a_page_that_repeats_a_withheld_text_stops_the_site(tmp_path: Path) -> None:
    """The settings are no part of the dataset, so no rebuild has looked at them."""
    (tmp_path / "copy").mkdir()
    copy = ProjectFolder(tmp_path / "copy")
    copy.seed(record("secret", SECRET, mentions=[], rights={"rights_holder": "Wire"}), record("open", TEXT, mentions=[]))
    assert copy.rebuild().problems == []
    copy.settings(f'summary = "{SECRET}"')
    with pytest.raises(BuildError, match=r"index\.html: repeats"):
        make_site(None, tmp_path / "site", copy.root)
    assert not (tmp_path / "site").exists()


def test_a_hydrated_copy_is_refused(many: ProjectFolder, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "secret.txt").write_text(SECRET, encoding="utf-8")
    hydrated = hydrate_dataset(many.project, many.root / "dataset", texts, tmp_path / "hydrated")
    assert hydrated.problems == []
    with pytest.raises(LoadError, match="hydrated"):
        make_site(str(tmp_path / "hydrated"), tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_the_site_of_a_private_project_says_so_and_gets_into_no_commit(folder: ProjectFolder) -> None:
    folder.settings("private = true", 'license = "LicenseRef-private"')
    rights = {"text_redistributable": True, "text_license": "LicenseRef-private"}
    folder.seed(record("a1", TEXT, rights=rights, mentions=[]))
    assert folder.rebuild().problems == []
    made = make_site(None, folder.root / "site", folder.root)
    assert made.private and (made.out / ".gitignore").read_text() == "*\n"
    assert all("Private, not for distribution" in " ".join(page.said) for page in parsed(made.out).values())


# ---- whole or not at all -------------------------------------------------------------------------------------


def test_a_folder_that_is_no_site_is_refused_and_stays(many: ProjectFolder, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    (tmp_path / "mine" / "site.json").write_text('{"made_by": "somebody"}')
    before = _tree(tmp_path)
    for out in (
        tmp_path / "mine",
        tmp_path / "mine" / "thesis.txt",
        many.root,
        many.root / "dataset",
        many.root / "dataset" / "site",
    ):
        with pytest.raises(UsageError):
            make_site(None, out, many.root)
    assert _tree(tmp_path) == before


def test_a_site_that_fails_leaves_the_one_before(many: ProjectFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = make_site(str(many.root), tmp_path / "site").out
    before = _tree(tmp_path)
    written = 0

    def full(path: Path, data: bytes) -> int:
        nonlocal written
        written += 1
        if written > 100:
            raise OSError(28, "No space left on device")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.write_bytes(data)

    monkeypatch.setattr("dateline.site.rendering.write_file", full)
    monkeypatch.setattr(siting, "write_file", full)
    with pytest.raises(BuildError, match="No space left"):
        make_site(str(many.root), out)
    assert written > 100 and _tree(tmp_path) == before


def test_an_earlier_site_is_replaced_whole(many: ProjectFolder, tmp_path: Path) -> None:
    out = make_site(str(many.root), tmp_path / "site").out
    (out / "articles" / "stale.html").write_text("stale")
    make_site(str(many.root), out)
    assert not (out / "articles" / "stale.html").exists() and [p.name for p in tmp_path.iterdir()] == ["site"]


# ---- search, segments, contrast ------------------------------------------------------------------------------


def _chunk(path: Path) -> Any:
    found = re.fullmatch(r'datelineChunk\("[^"]+",(.*)\);\n', path.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return json.loads(found[1])


def _found(site: Path, word: str) -> list[str]:
    """The articles that have a word, as the site's script finds them."""
    facets = _chunk(site / "search" / "facets.js")
    steps = _chunk(site / "search" / f"w-{bucket(word[:2])}.js").get(word, [])
    numbers = [sum(steps[: n + 1]) for n in range(len(steps))]
    return [_chunk(site / "search" / f"d-{n // facets['size']:03}.js")[n % facets["size"]][2] for n in numbers]


def test_the_index_leads_from_words_to_articles(site: Path) -> None:
    assert len(_found(site, "rome")) == MANY - 3
    assert _found(site, "quotes") == ["hostile"] and _found(site, "word") == ["long"]


def test_facets_have_the_value_of_every_article(flagship_site: Path) -> None:
    facets = {facet["name"]: facet for facet in _chunk(flagship_site / "search" / "facets.js")["facets"]}
    assert {"split", "language", "tier"} <= set(facets)
    assert set(facets["tier"]["values"]) == {"ANCHOR", "CONTRAST", "STORY"} and -1 in facets["tier"]["of"]


def test_lists_offer_filters_that_the_search_knows(flagship_site: Path) -> None:
    links = [link["href"] for link in parsed(flagship_site)["articles/index.html"].links]
    offered = [href.partition("#")[2].split("=") for href in links if "search.html#" in href]
    facets = {facet["name"]: facet["values"] for facet in _chunk(flagship_site / "search" / "facets.js")["facets"]}
    assert ["tier", "STORY"] in offered and ["language", "uk"] in offered
    assert all(value in facets[name] for name, value in offered)


def test_every_article_is_found_by_its_id(site: Path) -> None:
    for article_id in ("a001", "secret", "hostile"):
        assert _chunk(site / "rows" / f"{bucket(article_id)}.js")[article_id] == Links().article(article_id)


def test_words_are_folded_and_unspaced_scripts_cut_in_pairs() -> None:
    assert list(words_of("Z̆ovin’s CAFÉ ﬁve")) == ["zovin", "s", "cafe", "five"]
    assert list(words_of("東京都 says 山")) == ["東京", "京都", "says", "山"]


@pytest.mark.parametrize(("words", "known"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_buckets_are_the_published_fnv_1a_folded_to_a_byte(words: str, known: int) -> None:
    assert bucket(words) == f"{(known ^ known >> 8 ^ known >> 16 ^ known >> 24) & 0xFF:02x}"


@given(
    st.text(alphabet="ab \n", min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(-1, 31), st.integers(-1, 31)), max_size=8),
)
def test_segments_put_the_text_together_again_and_carry_exactly_what_covers_them(text: str, pairs: list[tuple[int, int]]) -> None:
    marks = [Mark(a, b, "l", f"l.{n}", "spans") for n, (a, b) in enumerate(pairs)]
    cut = segments(text, len(text), marks)
    assert "".join(s.text for s in cut) == text
    for s in cut:
        covering = {
            m for m in marks if 0 <= m.start <= s.start and s.start + len(s.text) <= m.end <= len(text) and m.start < m.end
        }
        assert set(s.marks) == covering


def test_edited_words_are_marked_on_both_sides() -> None:
    left, right, third = marked(["At least 8 people died.", "At most 8 people died.", None])
    assert left == [("At ", False), ("least", True), (" 8 people died.", False)]
    assert right == [("At ", False), ("most", True), (" 8 people died.", False)] and third is None


@pytest.mark.parametrize(
    ("language", "expected"), [("ar", "rtl"), ("he-IL", "rtl"), ("en", "ltr"), ("zh-Hant", "ltr"), ("", "auto")]
)
def test_directions_of_languages(language: str, expected: str) -> None:
    assert direction(language) == expected


# ---- the command ---------------------------------------------------------------------------------------------


def test_the_command_serves_on_this_machine_alone_until_it_is_interrupted(many: ProjectFolder, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "dateline",
        "site",
        str(many.root),
        "--out",
        str(tmp_path / "site"),
        "--serve",
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "PYTHONUNBUFFERED": "1"}) as running:  # fmt: skip
        assert running.stdout
        assert running.stdout.readline().startswith(f"{tmp_path / 'site'}: tiny 0.0.0, {MANY} articles")
        address = running.stdout.readline().split()[1]
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{address}index.html") as answer:
            assert b"Many &amp; &lt;b&gt;more" in answer.read()
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0


def test_the_command_says_what_is_wrong_in_one_line(dateline: Any, tmp_path: Path) -> None:
    for words, said in (([str(tmp_path)], "is no release"), (["--project", str(tmp_path)], "pyproject.toml")):
        run = dateline("site", *words, "--out", str(tmp_path / "site"))
        assert run.returncode == 2 and said in run.stderr and run.stderr.startswith("error: ") and run.stderr.count("\n") == 1
    assert not (tmp_path / "site").exists()


def test_the_command_says_which_packages_it_lacks(many: ProjectFolder, tmp_path: Path) -> None:
    lacking = "import sys; sys.modules['jinja2'] = None; from dateline.cli import main; main()"
    words = [sys.executable, "-c", lacking, "site", str(many.root), "--out", str(tmp_path / "site")]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == 2 and run.stderr == 'error: a site needs the package jinja2: pip install "dateline[build,site]"\n'
