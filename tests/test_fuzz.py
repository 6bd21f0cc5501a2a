"""Hostile bytes in, problems out: twenty seconds of it at each run of the suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzzing import fuzz


@pytest.mark.slow
def test_no_input_raises(tmp_path: Path) -> None:
    seen, crashes = fuzz(20, 20260101, tmp_path / "f.toml")
    assert crashes == {}
    assert seen.keys() >= {"refused", "problems", "rows", "toml", "refused toml"}
