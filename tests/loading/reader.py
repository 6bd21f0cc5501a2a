"""Load what lines of JSON ask for, one after the other, with `dateline.load` or with `datasets` alone; print what came, as JSON.

The Hub's client reads its environment when it is imported, and caches go by it, so readers are processes of their own.
"""

import copy
import json
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import datasets

import dateline
from dateline.errors import DatelineError

Answer = dict[str, Any]

datasets.disable_progress_bars()


def told(rows: Any) -> Answer:
    listed = list(rows)
    names = getattr((rows.features or {}).get("label"), "names", [])
    return {
        "rows": len(listed),
        "labels": sorted({names[row["label"]] for row in listed}) if names else [],
        "version": str(rows.info.version),
        "license": rows.info.license,
        "config": rows.info.config_name,
    }


def load(case: Answer) -> Answer:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        options = case.get("options", {})
        given = copy.deepcopy(options)
        if case["with"] == "dateline":
            found: Any = dateline.load(*case["words"], **options)
        else:
            found = datasets.load_dataset(*case["words"], **options)
        splits = {name: told(rows) for name, rows in found.items()} if isinstance(found, dict) else {"": told(found)}
    ours = [str(w.message) for w in said if w.category.__module__.startswith("dateline")]
    return {"splits": splits, "warnings": ours, "untouched": options == given}


def answer(case: Answer) -> Answer:
    try:
        with ThreadPoolExecutor(case.get("at_once", 1)) as pool:
            first, *others = pool.map(load, [case] * case.get("at_once", 1))
            assert all(other["splits"] == first["splits"] for other in others)
        return first
    except DatelineError as fault:
        return {"error": str(fault), "kind": type(fault).__name__}
    except Exception as fault:
        return {"error": str(fault), "kind": type(fault).__name__}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
