"""The site in a real browser, from files: every kind of page opens, is quiet, asks for nothing, and does what readers need."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from building import MENTIONS, REPOSITORY, Json, ProjectFolder, mention, record
from chromium_at_hand import DESK, PHONE, browser, grave_faults, moved, opened, too_wide
from dateline.engines import LocalEngine
from dateline.pipeline import rebuild
from dateline.project import Project, find_project
from dateline.site.validation import MATRIX
from dateline.siting import make_site
from page_kinds import page_kinds

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.slow(seconds=60), pytest.mark.xdist_group("browser")]

KINDS = ("overview", "articles", "article", "stories", "story", "contrasts", "contrast", "disagreement", "estimand", "tables",
         "table", "validation", "matrix", "provenance", "versions", "diff", "diff-article", "row", "search")  # fmt: skip
STORY_ARTICLE = "carrow-20260311-f9f4dfa7462a"


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def site(released_flagship: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a few articles of this corpus after one edit of a span, against the release before it."""
    home = tmp_path_factory.mktemp("edited") / "project"
    shutil.copytree(released_flagship.root, home)
    seed = home / "seeds" / "articles" / f"{STORY_ARTICLE}.json"
    text = seed.read_text(encoding="utf-8")
    seed.write_text(_without_a_word(text), encoding="utf-8")
    (home / "docs").mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / MATRIX, home / MATRIX)
    project = find_project(home)
    assert rebuild(project, LocalEngine(1)).problems == []
    out = home.parent / "site"
    make_site(None, out, home, against=str(released_flagship.dataset))
    return out


def _without_a_word(record_text: str) -> str:
    """A record in which the first mention of two words or more ends a word sooner."""
    import json

    found = json.loads(record_text)
    text = found["text"]["content"]
    for item in found["mentions"]:
        span = item["spans"][0]
        head, _, last = text[span["start"] : span["end"]].rpartition(" ")
        if head and last and len(item["spans"]) == 1:
            span["end"] -= len(last) + 1
            span.pop("surface", None)
            break
    return json.dumps(found, ensure_ascii=False)


# ---- every kind of page --------------------------------------------------------------------------------------------


def test_there_is_a_page_of_each_kind(site: Path) -> None:
    assert set(KINDS) <= set(page_kinds(site))


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_opens_silently_and_fits(chrome: Browser, site: Path, kind: str) -> None:
    path = page_kinds(site)[kind]
    with opened(chrome, path) as page:
        assert page.title()
        assert page.locator("h1").count() == 1
        assert too_wide(page) <= 0
    with opened(chrome, path, size=PHONE, theme="dark") as page:
        assert too_wide(page) <= 0, "a phone would scroll sideways"


@pytest.mark.parametrize("kind", ["overview", "articles", "article", "story", "contrast", "estimand", "search", "table"])
def test_nothing_moves_while_a_page_loads(chrome: Browser, site: Path, kind: str) -> None:
    with opened(chrome, page_kinds(site)[kind]) as page:
        page.wait_for_load_state("load")
        assert moved(page) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_no_grave_fault_in_either_theme(chrome: Browser, site: Path, kind: str) -> None:
    path = _short_article(site) if kind == "article" else page_kinds(site)[kind]
    with opened(chrome, path) as page:
        assert grave_faults(page) == []
        page.emulate_media(color_scheme="dark")
        assert grave_faults(page, "color-contrast") == []


def _short_article(site: Path) -> Path:
    """The smallest page of an article: axe looks at every element, and that of a long one has very many of the same kinds."""
    return min(site.glob("articles/*/*.html"), key=lambda path: path.stat().st_size)


@pytest.mark.parametrize("kind", ["overview", "article", "estimand", "validation"])
def test_a_printed_page_has_no_navigation_and_all_of_the_text(chrome: Browser, site: Path, kind: str) -> None:
    with opened(chrome, page_kinds(site)[kind]) as page:
        page.emulate_media(media="print")
        assert not page.locator(".top nav").is_visible()
        assert page.locator("h1").is_visible()


# ---- what readers do -----------------------------------------------------------------------------------------------


def _article(site: Path, name: str = STORY_ARTICLE) -> Path:
    return next(site.glob(f"articles/*/{name}.html"))


def test_a_layer_is_switched_and_no_text_moves(chrome: Browser, site: Path) -> None:
    with opened(chrome, _article(site)) as page:
        box = page.locator("input[data-name=quantities]")
        slot = box.get_attribute("data-layer")
        span = page.locator(f".text .l{slot}").first
        before, place = _lines(span), span.bounding_box()
        box.uncheck()
        assert _lines(span) != before
        assert span.bounding_box() == place
        box.check()
        assert _lines(span) == before


def _lines(span: object) -> str:
    return str(span.evaluate("node => getComputedStyle(node).backgroundImage"))  # type: ignore[attr-defined]


def test_from_a_number_to_its_claim_to_its_words_and_back(chrome: Browser, site: Path) -> None:
    with opened(chrome, page_kinds(site)["estimand"]) as page:
        estimand = page.url
        page.locator("tbody th a").first.click()
        page.wait_for_url(re.compile(r"#claims\."))
        claim = page.locator(".row:target")
        assert str(claim.get_attribute("id")).startswith("claims.")
        claim.locator("a.see").first.click()
        page.wait_for_url(re.compile(r"#at-\d+"))
        assert page.locator(".text .s.lit").count() > 0
        page.go_back()
        page.wait_for_url(re.compile(r"#claims\."))
        page.go_back()
        page.wait_for_url(estimand)


def test_the_words_of_a_quantity_are_where_its_row_says(chrome: Browser, site: Path) -> None:
    with opened(chrome, f"{_article(site).as_uri()}#quantities.q1") as page:
        see = page.locator(".row:target a.see").first
        place = str(see.get_attribute("href"))
        assert str(page.locator(f'[id="{place[1:]}"]').text_content()) == "At least"


def test_escape_closes_what_a_span_says(chrome: Browser, site: Path) -> None:
    with opened(chrome, _article(site)) as page:
        page.locator(".text .s[tabindex='0']").first.focus()
        assert page.locator(".card").is_visible()
        page.keyboard.press("Escape")
        assert not page.locator(".card").is_visible()


def test_a_row_is_found_by_its_id(chrome: Browser, site: Path) -> None:
    with opened(chrome, f"{(site / 'row.html').as_uri()}#{STORY_ARTICLE}#q1") as page:
        page.wait_for_url(re.compile(rf"{STORY_ARTICLE}\.html#quantities\.q1$"))


def counted(page: Page, articles: int) -> None:
    """Wait until as many results are there."""
    from playwright.sync_api import expect

    expect(page.locator(".results li")).to_have_count(articles, timeout=20_000)


def test_search_finds_words_and_filters(chrome: Browser, site: Path) -> None:
    with opened(chrome, site / "search.html") as page:
        articles = len(list(site.glob("articles/*/*.html")))
        counted(page, articles)
        page.locator("[name=q]").fill("carrow")
        page.locator("[data-count]", has_text=re.compile(rf"^(?!{articles} )\d+ article")).wait_for()
        assert 0 < page.locator(".results li").count() < articles
        page.locator(".results a").first.click()
        page.wait_for_url(re.compile(r"/articles/"))
    with opened(chrome, site / "search.html") as page:
        page.locator("select[name=language] option").nth(1).wait_for(state="attached")
        page.locator("select[name=language]").select_option(label="uk")
        counted(page, 3)


def test_search_finds_nothing_of_a_withheld_text(chrome: Browser, site: Path) -> None:
    withheld = [
        path
        for path in site.glob("articles/*/*.html")
        if "text withheld" in path.read_text("utf-8") or "may not be passed on" in path.read_text("utf-8")
    ]
    assert withheld
    for path in withheld:
        with opened(chrome, path) as page:
            drawn = str(page.locator(".text").text_content())
            assert set(drawn) <= {"░", "\n", " "}


def test_disagreement_is_filtered_by_measure(chrome: Browser, site: Path) -> None:
    with opened(chrome, site / "disagreement" / "index.html") as page:
        rows = page.locator("table.list tbody tr").count()
        link = page.locator(".filter a", has_text="fatalities")
        link.click()
        page.wait_for_url(re.compile("FATALITIES"))
        shown = page.locator("table.list tbody tr")
        assert 0 < shown.count() < rows
        assert {str(cell) for cell in shown.locator("td:nth-child(2)").all_text_contents()} == {"fatalities"}


def test_a_one_sided_number_is_drawn_open_and_has_its_row_in_the_table(chrome: Browser, site: Path) -> None:
    drawn = [path for path in site.glob("disagreement/*/*.html") if "<linearGradient" in path.read_text("utf-8")]
    with opened(chrome, drawn[0]) as page:
        svg = page.locator("figure.chart svg")
        said = re.compile("at least|at most|more than|less than|or more|up to")
        assert said.search(str(svg.locator("desc").text_content()))
        assert page.locator("#estimates + .scroll tbody th", has_text=said).count() > 0


def test_a_diff_draws_the_span_before_and_after(chrome: Browser, site: Path) -> None:
    with opened(chrome, site / "versions" / "index.html") as page:
        page.locator("a", has_text="What differs").click()
        page.locator("table a", has_text=re.compile(r".")).filter(has=page.locator("bdi")).first.click()
        before, after = (str(page.locator(f"mark.{side}").first.text_content()) for side in ("old", "new"))
        assert before.startswith(after + " ")
        assert page.locator("del").count() and page.locator("ins").count()


def test_the_theme_is_kept(chrome: Browser, site: Path) -> None:
    with opened(chrome, site / "index.html") as page:
        switch = page.locator("[data-theme-switch]")
        switch.click()
        switch.click()
        assert page.locator("html").get_attribute("data-theme") == "dark"
        page.goto((site / "provenance" / "index.html").as_uri())
        assert page.locator("html").get_attribute("data-theme") == "dark"


def test_served_from_this_machine_it_asks_for_itself_alone(
    chrome: Browser, site: Path, serving_site: Callable[[Path], str]
) -> None:
    with opened(chrome, serving_site(site)) as page:
        page.locator("nav a", has_text="Search").click()
        page.locator("[name=q]").fill("flood")
        page.locator(".results li").first.wait_for()


@pytest.fixture
def serving_site() -> Iterator[Callable[[Path], str]]:
    """Serves a folder on 127.0.0.1 as `dateline site --serve` does, until the test ends."""
    import subprocess
    import sys

    started = []

    def serve(folder: Path) -> str:
        code = "import sys; from pathlib import Path; from dateline.serving import serve_folder; "
        code += "serve_folder(Path(sys.argv[1]), 0, lambda address: print(address, flush=True))"
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        started.append(process)
        assert process.stdout
        return process.stdout.readline().strip()

    yield serve
    for process in started:
        process.terminate()
        process.wait(10)
        if process.stdout:
            process.stdout.close()


# ---- a hostile corpus ----------------------------------------------------------------------------------------------

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
BIDI = "\u202egnp.exe\u202c \u2066hidden\u2069"
LONG = "w" * 100_000
HEBREW = "ראש הממשלה אמר היום כי 34 בני אדם נהרגו."
CHINESE = "市长表示，至少有三十四人在洪水中丧生，数百人无家可归。"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of what people might put into a corpus to harm its readers, with texts from right to left and without blanks."""
    folder = ProjectFolder(tmp_path_factory.mktemp("hostile"))
    more = {
        "label": {"type": "string", "enum": ["PER", SCRIPT, LONG], "description": "Kind of name."},
        "link": {"type": ["string", "null"], "description": SCRIPT},
    }
    folder.schema("mentions", {**MENTIONS, "properties": {**MENTIONS["properties"], **more}})
    texts = {
        "script": f"Ana met {SCRIPT} in Rome. </div></body><!-- !",
        "bidi": f"Ana met {BIDI} in Rome.",
        "long": f"Ana met {LONG} in Rome.",
        "hebrew": HEBREW,
        "chinese": CHINESE * 20,
        "quote": 'Ana said "\'><svg onload=alert(3)>" in Rome.',
    }
    languages = {"hebrew": "he", "chinese": "zh"}
    folder.seed(*(_hostile_record(name, text, languages.get(name, "en")) for name, text in texts.items()))
    assert [str(problem) for problem in folder.rebuild().problems] == []
    out = folder.root / "site"
    make_site(None, out, folder.root)
    return out


def _hostile_record(name: str, text: str, language: str) -> Json:
    mentions = [
        mention("m1", 0, 3, remark=SCRIPT, link="javascript:alert(4)"),
        mention("m2", 0, len(text), LONG, remark=LONG, link='https://example.org/"><script>alert(5)</script>'),
        mention("m3", 0, 2, SCRIPT, remark=BIDI, link="data:text/html,<script>alert(6)</script>"),
        mention("m\"'><b>", 1, 3, remark="' onfocus='alert(7)"),
    ]
    return record(f"a-{name}", text, language=language, mentions=mentions)


@pytest.mark.parametrize("name", ["script", "bidi", "long", "hebrew", "chinese", "quote"])
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_hostile_article_is_harmless(chrome: Browser, hostile: Path, name: str, size: tuple[int, int]) -> None:
    with opened(chrome, _article(hostile, f"a-{name}"), size=size) as page:
        page.locator("input[data-layer]").check()
        for summary in page.locator("details:not([open]) > summary").all():
            if summary.is_visible():
                summary.click()
        page.locator(".text .s[tabindex='0']").focus()
        assert page.locator("script").count() == 1
        assert page.locator("img, .text svg, [onerror], [onload]").count() == 0
        assert too_wide(page) <= 0
        links = page.locator("a").evaluate_all("all => all.map(a => [a.getAttribute('href'), a.getAttribute('rel')])")
        assert not [href for href, _ in links if re.match(r"\s*(javascript|data|vbscript):", href)]
        assert {rel for href, rel in links if href.startswith("http")} == {"noopener noreferrer"}


def test_controls_of_direction_are_shown(chrome: Browser, hostile: Path) -> None:
    with opened(chrome, _article(hostile, "a-bidi")) as page:
        text = str(page.locator("body").text_content())
        assert "\\u202e" in text
        assert not set(text) & set("\u202e\u202c\u2066\u2069")


def test_texts_have_their_language_and_direction(chrome: Browser, hostile: Path) -> None:
    for name, language, direction in (("hebrew", "he", "rtl"), ("chinese", "zh", "ltr")):
        with opened(chrome, _article(hostile, f"a-{name}")) as page:
            text = page.locator(".text")
            assert (text.get_attribute("lang"), text.get_attribute("dir")) == (language, direction)
            assert page.evaluate("getComputedStyle(document.querySelector('.text')).direction") == direction


def test_hostile_words_are_searched_for_and_shown_as_they_are(chrome: Browser, hostile: Path) -> None:
    with opened(chrome, hostile / "search.html") as page:
        page.locator("[name=q]").fill("alert")
        counted(page, 2)
        page.locator("[name=q]").fill("洪水")
        counted(page, 1)
