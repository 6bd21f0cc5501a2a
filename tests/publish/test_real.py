"""The same against the real Hub and a real bucket, for who asks for it: nothing is spoken to unless these variables name it.

DATELINE_TEST_HUB_REPO (`org/name`, a dataset repository for tests, with HF_TOKEN); DATELINE_TEST_BUCKET (`s3://bucket/prefix`,
with credentials of AWS). A prefix or repository that has these versions already is published to again, which changes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dateline.project import Project
from dateline.publishing import publish
from dateline.sources import fetch_release

HUB, BUCKET = os.environ.get("DATELINE_TEST_HUB_REPO"), os.environ.get("DATELINE_TEST_BUCKET")


def goes_through(projects: dict[str, Project], target: str, release: str, work: Path) -> None:
    """Publish both releases, publish the second again, and read it as readers do."""
    for version in projects:
        assert publish(projects[version], target).success
    again = publish(projects["0.2.0"], target)
    assert again.success and again.already and not again.sent.files and not again.sent.done
    assert (fetch_release(release, work) / "manifest.json").read_bytes() == (
        projects["0.2.0"].dataset / "manifest.json"
    ).read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not HUB, reason="DATELINE_TEST_HUB_REPO names no repository of the Hub to test with")
def test_the_real_hub(projects: dict[str, Project], tmp_path: Path) -> None:
    goes_through(projects, f"hf://{HUB}", f"hf://{HUB}@v0.2.0", tmp_path / "back")


@pytest.mark.slow
@pytest.mark.skipif(not BUCKET, reason="DATELINE_TEST_BUCKET names no bucket to test with")
def test_a_real_bucket(projects: dict[str, Project], tmp_path: Path) -> None:
    assert BUCKET
    goes_through(projects, BUCKET, f"{BUCKET.rstrip('/')}/v0.2.0", tmp_path / "back")
