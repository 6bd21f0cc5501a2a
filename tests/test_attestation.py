"""What is signed of a release is what the standards say, and what others verify."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from building import REPOSITORY, ProjectFolder
from dateline.attestation import PAYLOAD_TYPE, check, sign
from dateline.keys import PrivateKey, generate, read_private_key
from dateline.layout import ATTESTATION
from dateline.project import Project
from dateline.publication import Staged, stage
from released import published


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> PrivateKey:
    path = tmp_path_factory.mktemp("keys") / "a.key"
    generate(path)
    return read_private_key(path)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory, released_flagship: Project, key: PrivateKey) -> Staged:
    """A release of some articles of this corpus, signed."""
    return stage(released_flagship, tmp_path_factory.mktemp("signed") / "v", key=key)


def envelope_of(staged: Staged) -> dict[str, Any]:
    raw = (staged.folder / ATTESTATION).read_bytes()
    assert raw.endswith(b"\n") and raw.count(b"\n") == 1
    found: dict[str, Any] = json.loads(raw)
    return found


def statement_of(staged: Staged) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(envelope_of(staged)["payload"]))
    return found


def digests(staged: Staged) -> dict[str, str]:
    return {path: digest for path, (digest, _) in staged.files.items()}


def test_securesystemslib_verifies_the_envelope_with_this_key_and_no_other(
    corpus: Staged, key: PrivateKey, tmp_path: Path
) -> None:
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey

    envelope = Envelope.from_dict(envelope_of(corpus))
    fingerprint = key.public.fingerprint

    def theirs(raw: bytes) -> SSlibKey:
        return SSlibKey(fingerprint, "ed25519", "ed25519", {"public": raw.hex()})

    assert list(envelope.verify([theirs(key.public.raw)], 1)) == [fingerprint]
    with pytest.raises(VerificationError):
        envelope.verify([theirs(generate(tmp_path / "other.key").raw)], 1)


def test_the_protobufs_of_in_toto_and_slsa_know_every_field(corpus: Staged) -> None:
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
    from in_toto_attestation.v1.statement import Statement
    from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage

    said = statement_of(corpus)
    Statement.copy_from_pb(ParseDict(said, StatementMessage())).validate()
    provenance = ParseDict(said["predicate"], Provenance())
    assert provenance.build_definition.external_parameters["version"] == corpus.version
    assert provenance.run_details.builder.version["dateline"] == corpus.manifest.writer["dateline"]


def test_every_file_but_itself_is_a_subject(corpus: Staged) -> None:
    subject = {one["name"]: one["digest"]["sha256"] for one in statement_of(corpus)["subject"]}
    assert subject == {path: digest for path, digest in digests(corpus).items() if path != ATTESTATION}
    assert "SHA256SUMS" in subject


def test_inputs_tools_licences_and_the_result_of_validation_are_named(corpus: Staged) -> None:
    predicate = statement_of(corpus)["predicate"]
    inputs = {one["name"]: one["digest"] for one in predicate["buildDefinition"]["resolvedDependencies"]}
    assert {name: inputs[name] for name in ("records", "schemas")} == {
        name: {"sha256": digest} for name, digest in corpus.manifest.inputs.items()
    }
    assert predicate["buildDefinition"]["internalParameters"]["licenses"]["annotation"]["claims"] == ["CC-BY-4.0"]
    assert predicate["runDetails"]["builder"]["version"] == corpus.manifest.writer
    result = predicate["runDetails"]["byproducts"][-1]
    assert result["annotations"]["success"] is True and result["annotations"]["counts"]["failed"] == 0


def test_signing_again_gives_the_same_bytes(corpus: Staged, released_flagship: Project, key: PrivateKey, tmp_path: Path) -> None:
    assert stage(released_flagship, tmp_path / "again", key=key).files == corpus.files


def test_a_project_without_suites_or_git_is_signed_too(folder: ProjectFolder, key: PrivateKey, tmp_path: Path) -> None:
    staged = published(folder, tmp_path / "out", key)
    predicate = statement_of(staged)["predicate"]
    assert [one["name"] for one in predicate["buildDefinition"]["resolvedDependencies"]] == ["records", "schemas"]
    assert check((staged.folder / ATTESTATION).read_bytes(), key.public, staged.manifest, digests(staged)).faults == []


def inputs_of(said: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = said["predicate"]["buildDefinition"]["resolvedDependencies"]
    return found


def without(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(said: dict[str, Any]) -> None:
        *outer, last = path
        for name in outer:
            said = said[name]
        del said[last]

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without("predicate"), '"predicate" is a required property'),
        (without("predicate", "buildDefinition", "externalParameters", "version"), '"version" is a required property'),
        (without("predicate", "runDetails", "builder", "id"), '"id" is a required property'),
        (lambda said: said.update(subject=[]), "subject: "),
        (lambda said: said.update(more=1), "'more' was unexpected"),
        (lambda said: said["subject"][0]["digest"].update(sha256="x"), "subject.0.digest.sha256: "),
        (lambda said: said["subject"].append(said["subject"][0]), "names a file twice"),
        (lambda said: said["subject"].pop(), "was not signed for "),
        (lambda said: inputs_of(said)[0].update(digest={"sha256": "0" * 64}), "another digest of the records"),
    ],
)  # fmt: skip
def test_what_the_protobufs_would_let_pass_is_refused_though_it_is_signed(
    change: Callable[[dict[str, Any]], None], says: str, corpus: Staged, key: PrivateKey
) -> None:
    said = copy.deepcopy(statement_of(corpus))
    change(said)
    found = check(sign(said, key), key.public, corpus.manifest, digests(corpus))
    assert found.trusted and any(says in fault for fault in found.faults), found.faults


def test_type_and_payload_are_signed_with_their_lengths(key: PrivateKey) -> None:
    envelope = json.loads(sign({"a": 1}, key))
    message = b'DSSEv1 %d %b 7 {"a":1}' % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode())
    assert key.public.verifies(base64.b64decode(envelope["signatures"][0]["sig"]), message)


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"payload": "", "payloadType": 1, "signatures": []}',
     b'{"payload": "", "payloadType": "x", "signatures": [1]}', b'{"payload": "?", "payloadType": "x", "signatures": []}'],
)  # fmt: skip
def test_what_is_no_envelope_is_told_and_raises_nothing(raw: bytes, corpus: Staged, key: PrivateKey) -> None:
    for given in (None, key.public):
        assert check(raw, given, corpus.manifest, digests(corpus)).faults == ["is no DSSE envelope on one line"]


def test_the_lines_for_other_tools_in_the_manual_work(corpus: Staged, key: PrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    manual = (REPOSITORY / "docs" / "verifying.md").read_text(encoding="utf-8")
    lines = manual.partition("```python\n")[2].partition("```")[0]
    monkeypatch.chdir(corpus.folder)
    Path("open-wire.key.pub").write_bytes(key.public.pem())
    try:
        named: dict[str, Any] = {}
        exec(lines, named)
        assert named["subjects"] == {path: digest for path, digest in digests(corpus).items() if path != ATTESTATION}
    finally:
        Path("open-wire.key.pub").unlink()
