"""The pages of evidence: validation, provenance, versions and what differs; and the site as a static Space."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from building import REPOSITORY, ProjectFolder, mention, record
from dateline.describe.changelog import sections
from dateline.describe.matrix import read_matrix
from dateline.errors import UsageError
from dateline.site.markdown import html_of
from dateline.siting import make_site

SECRET = "Quillon Farrowby spoke of ninety heavy lorries at dawn, while Odile Brankmoor counted the empty barges below."
GONE = "Nobody shall read these few words again."


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site against the dataset before: a span moved, an article gone, one that became withheld, one withheld all along."""
    folder = ProjectFolder(tmp_path_factory.mktemp("compared"))
    closed = {"rights_holder": "Wire"}
    folder.seed(
        record("moved", "Ana Ruiz met Bo.", mentions=[mention("m1", 0, 8)]),
        record("gone", GONE, mentions=[mention("m1", 0, 6)]),
        record("closed", "Odd words of old.", mentions=[mention("m1", 0, 9)]),
        record("secret", SECRET, mentions=[mention("m1", 0, 16)], rights=closed),
    )
    assert folder.rebuild().problems == []
    before = folder.root / "before"
    (folder.root / "dataset").rename(before)
    folder.seed(
        record("moved", "Ana Ruiz met Bo.", mentions=[mention("m1", 0, 3)]),
        record("closed", "Odd words of old.", mentions=[mention("m1", 0, 3)], rights=closed),
        record("secret", SECRET, mentions=[mention("m1", 0, 7)], rights=closed),
    )
    assert folder.rebuild().problems == []
    out = folder.root / "site"
    make_site(None, out, folder.root, against=str(before))
    return out


def _page(site: Path, name: str) -> str:
    return next(site.glob(f"versions/articles/*/{name}.html")).read_text(encoding="utf-8")


def test_a_moved_span_is_drawn_before_and_after(compared: Path) -> None:
    page = _page(compared, "moved")
    assert '<mark class="old" title="mentions m1: spans">Ana Ruiz</mark> met Bo.' in page
    assert '<mark class="new" title="mentions m1: spans">Ana</mark> Ruiz met Bo.' in page


def test_no_word_is_shown_of_what_is_withheld_or_gone(compared: Path) -> None:
    for path in compared.rglob("*"):
        if path.suffix in (".html", ".js", ".json"):
            made = path.read_text(encoding="utf-8")
            for words in ("Quillon", "Odd words", "Nobody shall"):
                assert words not in made, path
    for name in ("gone", "closed", "secret"):
        assert name in (compared / "versions" / "diff" / "index.html").read_text(encoding="utf-8")


def test_what_cannot_be_compared_is_said_in_one_line(compared: Path, dateline: Any, tmp_path: Path) -> None:
    done = dateline("site", "--out", tmp_path / "site", "--against", "9.9.9", "-C", compared.parent)
    assert done.returncode == 2
    assert "9.9.9" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "site").exists()


def test_provenance_says_whether_the_files_are_whole(folder: ProjectFolder) -> None:
    folder.seed(record("a1", "Ana met Bo.", mentions=[mention("m1", 0, 3)]))
    folder.rebuild()
    make_site(None, folder.root / "site", folder.root)
    page = (folder.root / "site" / "provenance" / "index.html").read_text(encoding="utf-8")
    assert "Whole when these pages were made" in page
    assert "Not signed" in page
    manifest = json.loads((folder.root / "dataset" / "manifest.json").read_bytes())
    assert all(digest in page for digest in (manifest["content_digest"], *manifest["inputs"].values()))


def test_the_matrix_is_read_as_it_was_written() -> None:
    text = (REPOSITORY / "docs" / "validation-matrix.md").read_text(encoding="utf-8")
    found = read_matrix(text)
    by_rule = {rule.rule: rule for rule in found.rules}
    assert by_rule["articles-address"].kinds == {"given": (1, 14), "emptied-string": (2, 25), "padded": (2, 21)}
    assert by_rule["articles-controls"].mutants == 0
    said = dict(found.facts)["rules, of them without teeth"]
    assert said.split(",")[0] == str(len(found.rules))
    assert read_matrix("# Something else\n").rules == []


def test_a_changelog_is_html_in_which_nothing_is_taken_as_it_is() -> None:
    line = "- **new** <script>alert(1)</script> [a](javascript:b) [docs](docs/x.md)"
    text = f"# Changelog\n\n## [0.2.0] - 2026-01-02\n\n{line}\n\n## 0.1.0\n\nfirst\n"
    (newest, body), (first, _) = sections(text)
    assert (newest, first) == ("0.2.0 - 2026-01-02", "0.1.0")
    made = str(html_of(body))
    assert "<strong>new</strong> &lt;script&gt;" in made
    assert "<a" not in made
    assert "docs" in made


def test_a_space_has_the_head_that_the_hub_reads(folder: ProjectFolder) -> None:
    folder.settings('title = "News: & more"', 'license = "CC-BY-4.0"')
    folder.seed(record("a1", "Ana met Bo.", mentions=[mention("m1", 0, 3)]))
    folder.rebuild()
    make_site(None, folder.root / "site", folder.root, space=True)
    _, head, _ = (folder.root / "site" / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    said = yaml.safe_load(head)
    assert (said["sdk"], said["app_file"], said["title"], said["license"]) == (
        "static",
        "index.html",
        "News: & more",
        "cc-by-4.0",
    )
    assert (folder.root / "site" / said["app_file"]).is_file()


def test_a_private_project_has_no_space(folder: ProjectFolder) -> None:
    folder.settings("private = true", 'license = "LicenseRef-private"')
    rights = {"text_redistributable": True, "text_license": "LicenseRef-private"}
    folder.seed(record("a1", "Ana met Bo.", rights=rights, mentions=[]))
    folder.rebuild()
    with pytest.raises(UsageError, match="--space"):
        make_site(None, folder.root / "site", folder.root, space=True)
    assert not (folder.root / "site").exists()
