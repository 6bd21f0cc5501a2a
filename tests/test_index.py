"""The index of all files is the same however it is written, and so is what tells their records from others."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateline.compile import index as indexing
from dateline.compile.index import INDEX_SCHEMA, Indexed, digest_of_records, gather
from dateline.compile.signature import Signing

SIGNING = Signing(words=3, characters=5, num_perm=2)


def indexed(folder: Path, number: int, size: int, signed: bool) -> Indexed:
    """The index of one file; its records have signatures, or have none."""
    rows = [
        {"article_id": f"a{number}-{n}", "group": None if n % 2 else f"g{n}", "withheld": False, "size": n, "line": n + 1,
         "record_sha256": hashlib.sha256(f"{number}-{n}".encode()).digest(), "file": f"f{number}", "plain": f"/f{number}",
         "signature": n if signed else None, "offset": 0, "length": 1, "raw_digest": bytes(16)}
        for n in range(size)
    ]  # fmt: skip
    made = Indexed(pa.Table.from_pylist(rows, schema=INDEX_SCHEMA))
    if signed and size:
        made.signatures = folder / f"signatures-{number}"
        made.signatures.write_bytes(np.array([[number, n] for n in range(size)], "<u4").tobytes())
    return made


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=9), st.integers(1, 20))
def test_all_rows_are_there_in_order_and_count_the_signatures(files: list[tuple[int, bool]], at_once: int) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patched:
        patched.setattr(indexing, "_ROWS_AT_ONCE", at_once)
        pieces = [indexed(Path(name), number, *file) for number, file in enumerate(files)]
        index, signatures = gather(iter(pieces), Path(name), SIGNING)
        assert signatures is not None
        found = index.table.to_pylist()
        index.forget()  # and what is looked at again is the same
        assert index.table.to_pylist() == found
        apart = [row for piece in pieces for row in piece.table.to_pylist()]
        assert [{**row, "signature": None} for row in found] == [{**row, "signature": None} for row in apart]
        for row in found:
            if row["signature"] is not None:
                assert f"a{'-'.join(map(str, signatures[row['signature']]))}" == row["article_id"]
        assert [row["signature"] is None for row in found] == [row["signature"] is None for row in apart]
        lines = sorted(row["record_sha256"].hex() for row in apart)
        assert digest_of_records(index.table) == hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_digests_that_begin_or_end_with_nothing_are_in_their_order() -> None:
    digests = [bytes(32), b"\0" * 31 + b"\1", b"\1" + bytes(31), b"\1" * 16 + bytes(16), b"\xff" * 32, b"\x80" + bytes(31)]
    table = pa.table({"record_sha256": pa.chunked_array([digests[3:], digests[:3]], pa.binary(32)).slice(1)})
    lines = sorted(digest.hex() for digest in [*digests[4:], *digests[:3]])
    assert digest_of_records(table) == hashlib.sha256("\n".join(lines).encode()).hexdigest()
