"""The baselines: what they may read, and that the kept results, which the card shows, are about the data as they are."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from building import REPOSITORY, ProjectFolder, record
from dateline.describe.baselines import baselines_section, digest_of_views
from dateline.errors import ProjectError
from dateline.manifest import read_manifest

KEPT = REPOSITORY / "examples" / "baselines" / "results.json"


def test_kept_results_are_of_this_dataset_and_stand_in_its_card() -> None:
    found = json.loads(KEPT.read_bytes())
    manifest = read_manifest(REPOSITORY / "dataset")
    digests = {name: table.logical_digest for name, table in manifest.tables.items()}
    now = digest_of_views(found["results"], digests)
    assert found["views_digest"] == now, "run: python examples/baselines/run.py --write, then rebuild"
    section = baselines_section(found, digests)
    assert section in (REPOSITORY / "dataset" / "README.md").read_text(encoding="utf-8")
    assert "stories in the split test are few:** mind the intervals" in section and "earlier state" not in section


def test_results_of_another_state_are_said_to_be_so() -> None:
    found = json.loads(KEPT.read_bytes())
    assert f"Measured on an earlier state of the views (digest `{found['views_digest'][:12]}`)" in baselines_section(found, {})


@pytest.mark.slow(seconds=15)
def test_the_kept_results_are_what_the_command_prints() -> None:
    command = [sys.executable, str(REPOSITORY / "examples" / "baselines" / "run.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(KEPT.read_bytes())
    tables = read_manifest(REPOSITORY / "dataset").tables
    assert done.stdout.strip() == baselines_section(found, {name: table.logical_digest for name, table in tables.items()})


def test_a_card_without_the_results_at_hand_says_so(folder: ProjectFolder) -> None:
    folder.settings('baselines = "none.json"')
    folder.seed(record("a"))
    assert not folder.rebuild().problems
    assert "`none.json`, were not at hand" in (folder.root / "dataset" / "README.md").read_text(encoding="utf-8")
    (folder.root / "none.json").write_text('{"results": 1}')
    with pytest.raises(ProjectError, match=r"none\.json: holds no results of baselines"):
        folder.rebuild()
