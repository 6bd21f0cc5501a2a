"""Great Expectations as its users run it on a file: `pandas.read_parquet`, one DataFrame, one batch, the suite.

python benchmarks/gx_on_pandas.py FILE SUITE [--dtypes pyarrow]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd


def results(file: Path, suite: Path, dtypes: str) -> list[Any]:
    """Great Expectations' results, in the order of the suite."""
    options: Any = {} if dtypes == "default" else {"dtype_backend": dtypes}
    frame = pd.read_parquet(file, **options)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("files").add_dataframe_asset("mentions")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(batch_parameters={"dataframe": frame})
    written = json.loads(suite.read_text(encoding="utf-8"))
    made = gx.ExpectationSuite(name=written["name"], expectations=written["expectations"])
    found = {r.expectation_config.id: r for r in batch.validate(made).results}
    return [found[e["id"]] for e in written["expectations"]]


def answer(result: Any) -> dict[str, Any]:
    """Verdict, unexpected count and observed value of one result, as plain JSON."""
    said = result.to_json_dict()
    raised = said["exception_info"]
    for each in [raised] if "raised_exception" in raised else raised.values():
        if each["raised_exception"]:
            raise SystemExit(f"{result.expectation_config.type}: {each['exception_message']}")
    return {
        "success": bool(result.success),
        "unexpected_count": said["result"].get("unexpected_count"),
        "observed": said["result"].get("observed_value"),
    }


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("file", type=Path)
    words.add_argument("suite", type=Path)
    words.add_argument("--dtypes", choices=("default", "numpy_nullable", "pyarrow"), default="default")
    said = words.parse_args()
    found = [answer(result) for result in results(said.file, said.suite, said.dtypes)]
    print(json.dumps(found, default=lambda value: value.item()))  # numbers of numpy
