"""The registry of exporters."""

from __future__ import annotations

import pytest

from dateline.errors import UsageError
from dateline.exporters import exporter, exporters


def test_modules_of_the_package_are_exporters_and_others_are_not() -> None:
    assert {"brat", "spacy"} <= exporters().keys()
    assert exporter("brat").title == "brat standoff (.txt and .ann)"
    with pytest.raises(UsageError, match="no exporter 'nothing'; there are: brat, "):
        exporter("nothing")
