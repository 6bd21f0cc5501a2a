"""Hugging Face datasets: a folder that `save_to_disk` wrote, or a name on the Hub, streamed; by columns, as tables are.

No code of a dataset is run: `datasets` has no loading scripts any more, and none is trusted here. Arrow's files hold addresses
into themselves, and wrong ones end the process; so a saved folder is read here, and each batch is validated before it is used.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

from dateline.document import Document, Refused
from dateline.errors import InputError, Place
from dateline.foreign_json import brief, parsed
from dateline.incoming import Incoming
from dateline.rows import ROWS, Found, Rows, class_names
from dateline.typed import misfits

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


_TOP = ("dataset_dict.json", "state.json")
"""What `save_to_disk` writes at the top of a dataset of several splits, and of one."""
_ROWS = 256


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """The documents of every split, each named after it."""
    made = Rows(incoming.options, NAME)
    hub = incoming.options["dataset"]
    label = hub or incoming.label
    for split, names, rows in _streamed(incoming) if hub else _saved(incoming):
        found = _placed(rows, f"{label}/{split}" if label else split)
        yield from made.documents(found, split, names, incoming.offsets)


def looks_like(incoming: Incoming) -> float:
    """Whether `save_to_disk` has written the folder."""
    return 0.95 if {*_TOP} & {name.rpartition("/")[2] for name in incoming.names} else 0.0


_Split = tuple[str, dict[str, list[str]], Iterator[Any]]
"""The name of a split, names for its numbers, its rows in pieces."""


def _wanted(incoming: Incoming, splits: list[str]) -> list[str]:
    wanted = incoming.options["split"]
    if wanted and wanted not in splits:
        raise InputError(f"option split is {wanted!r}, but there are {', '.join(splits)}")
    return [wanted] if wanted else splits


def _streamed(incoming: Incoming) -> Iterator[_Split]:
    """The wanted splits of a dataset on the Hub; raises InputError where there is no such dataset."""
    import datasets

    for library in ("datasets", "huggingface_hub"):  # what is wrong is said here, in one line
        logging.getLogger(library).setLevel(logging.CRITICAL)
    options = incoming.options
    try:
        found = datasets.load_dataset(
            options["dataset"], options["config"] or None, revision=options["revision"] or None, streaming=True
        )
    except Exception as fault:  # of the network, of the Hub, of any builder
        raise InputError(f"{options['dataset']}: is no dataset that can be read: {_first_line(fault)}") from None
    for split in _wanted(incoming, list(found)):
        rows = found[split]
        # as Arrow: pictures and sounds are not decoded
        yield split, class_names(rows.features.to_dict()) if rows.features else {}, rows.with_format("arrow").iter(_ROWS)


def _saved(incoming: Incoming) -> Iterator[_Split]:
    """The wanted splits of a saved folder; raises InputError where there is none, or its own description is damaged."""
    tops = [name for name in incoming.names if name.rpartition("/")[2] in _TOP]
    if not tops:
        here = incoming.label or incoming.root
        raise InputError(
            f"{here}: is no dataset that can be read: save_to_disk would have written {_TOP[0]}; "
            'of a dataset on the Hub say dataset = "owner/name"'
        )
    top = min(tops, key=lambda name: (name.count("/"), name))
    folder, _, name = top.rpartition("/")
    below = f"{folder}/" if folder else ""
    if name == "dataset_dict.json":
        splits: dict[str, str] = {split: f"{below}{split}/" for split in _said(incoming, top, "splits", list[str])}
    else:
        splits = {_said(incoming, top, "_split", str | None) or "all": below}
    for split in _wanted(incoming, list(splits)):
        info = f"{splits[split]}dataset_info.json"
        features = _said(incoming, info, "features", dict[str, Any] | None)
        yield split, class_names(features), _batches(incoming, f"{splits[split]}state.json", splits[split])


def _said(incoming: Incoming, name: str, key: str, kind: Any) -> Any:
    """What a JSON file of a saved folder says under a key; raises InputError where it says nothing of that kind."""
    if name not in incoming.names:
        raise InputError(f"{incoming.place(name)}: is not there, but a dataset that save_to_disk wrote has it")
    try:
        said = parsed(incoming.text(name))
    except ValueError as fault:
        raise InputError(f"{incoming.place(name)}: {fault}") from None
    if not isinstance(said, dict):
        raise InputError(f"{incoming.place(name)}: is {brief(said)}, but must be an object")
    for wrong in misfits(said.get(key), kind, key):
        raise InputError(f"{incoming.place(name)}: {wrong.where} is {wrong.found}, but must be {wrong.expected}")
    return said.get(key)


def _batches(incoming: Incoming, state: str, below: str) -> Iterator[Any]:
    """The rows of the files that a split's state names, in pieces; raises what Arrow raises where they are damaged."""
    import pyarrow as pa

    for file in _said(incoming, state, "_data_files", list[dict[str, Any]]):
        name = f"{below}{file.get('filename')}"
        if name not in incoming.names:  # so none leads out of the folder
            raise InputError(f"{incoming.place(state)}: names the file {brief(file.get('filename'))}, which is not there")
        with incoming.open(name) as raw, pa.ipc.open_stream(raw) as stream:
            yield from stream


def _placed(tables: Iterator[Any], label: str) -> Iterator[Found]:
    """The rows of some tables, with their places."""
    number = 0
    try:
        for table in tables:
            table.validate(full=True)  # before anything looks into it
            for at in range(0, table.num_rows, _ROWS):
                for row in table.slice(at, _ROWS).to_pylist():
                    yield Place(label, 0, f"$[{number}]"), row
                    number += 1
    except InputError:
        raise
    except Exception as fault:  # of the network, or a damaged file
        yield Refused(Place(label, 0, f"$[{number}]"), "document", f"is damaged: {_first_line(fault)}; what follows is not read")


def _first_line(fault: BaseException) -> str:
    text = (str(fault).splitlines() or [type(fault).__name__])[0]
    return text.replace(os.getcwd() + os.sep, "")
