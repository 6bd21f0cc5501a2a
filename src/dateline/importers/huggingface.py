"""Hugging Face datasets: a folder that `save_to_disk` wrote, or a name on the Hub, streamed; by columns, as tables are.

No code of a dataset is run: `datasets` has no loading scripts any more, and none is trusted here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from dateline.document import Document, Refused
from dateline.errors import InputError, Place
from dateline.incoming import Incoming
from dateline.rows import ROWS, Found, Rows, class_names

NAME = "huggingface"
TITLE = "Hugging Face datasets (a folder, or a name on the Hub), by columns"
SUFFIXES = (".arrow",)
OPTIONS: dict[str, Any] = {
    **ROWS,
    "dataset": "",  # a name on the Hub, such as owner/name; then nothing is read from the path
    "config": "",
    "split": "",  # all of them by default
    "revision": "",  # a commit, so that the same rows come again
}


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """The documents of every split, each named after it."""
    made = Rows(incoming.options, NAME)
    for split, rows in _splits(incoming).items():
        label = incoming.options["dataset"] or incoming.label
        names = class_names(rows.features.to_dict()) if rows.features else {}
        yield from made.documents(_rows(rows, f"{label}/{split}" if label else split), split, names, incoming.offsets)


def looks_like(incoming: Incoming) -> float:
    """Whether `save_to_disk` has written the folder."""
    return 0.95 if {"dataset_dict.json", "state.json"} & {name.rpartition("/")[2] for name in incoming.names} else 0.0


def _splits(incoming: Incoming) -> dict[str, Any]:
    """The wanted splits; raises InputError where there is no such dataset."""
    import datasets

    options = incoming.options
    try:
        if options["dataset"]:
            config, revision = options["config"] or None, options["revision"] or None
            found = datasets.load_dataset(options["dataset"], config, revision=revision, streaming=True)
        else:
            found = datasets.load_from_disk(str(incoming.root))
            incoming.read.update(incoming.names)
    except Exception as fault:  # of the network, of the Hub, of any builder
        what = options["dataset"] or str(incoming.place(""))
        raise InputError(f"{what or incoming.root}: is no dataset that can be read: {_first_line(fault)}") from None
    splits = dict(found) if isinstance(found, dict) else {str(found.split or "all"): found}
    wanted = options["split"]
    if wanted and wanted not in splits:
        raise InputError(f"option split is {wanted!r}, but there are {', '.join(splits)}")
    return {wanted: splits[wanted]} if wanted else splits


def _rows(rows: Any, label: str) -> Iterator[Found]:
    number = 0
    try:
        # as Arrow: pictures and sounds are not decoded
        for table in rows.with_format("arrow").iter(256):
            for row in table.to_pylist():
                yield Place(label, 0, f"$[{number}]"), row
                number += 1
    except Exception as fault:  # of the network, or a damaged file
        yield Refused(Place(label, 0, f"$[{number}]"), "document", f"is damaged: {_first_line(fault)}; what follows is not read")


def _first_line(fault: BaseException) -> str:
    text = (str(fault).splitlines() or [type(fault).__name__])[0]
    return text.replace(os.getcwd() + os.sep, "")
