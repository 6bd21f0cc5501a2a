"""What is signed of a release: an in-toto statement about every file, in a DSSE envelope on one line.

The predicate is SLSA provenance: inputs with their digests, what built it, how validation ended. `attestation.schema.json` says
what this must hold, as the protobufs of both standards leave all of it optional; it is checked when written and when read.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import jsonschema_rs

from dateline.keys import PrivateKey, PublicKey
from dateline.layout import ATTESTATION
from dateline.licences import Licences
from dateline.manifest import Manifest

PAYLOAD_TYPE = "application/vnd.in-toto+json"
Digests = Mapping[str, str]
"""sha256 of files, by their paths in the release."""


# ---- writing -------------------------------------------------------------------------------------------------


def statement(
    manifest: Manifest, files: Digests, licences: Licences, date: str, commit: str | None, result: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What is said of a release: `files` are all of it but the attestation, `result` is how validation ended, as it is kept."""
    inputs = [{"name": name, "digest": {"sha256": digest}} for name, digest in manifest.inputs.items()]
    if commit:
        inputs.append({"name": "git", "digest": {"gitCommit": commit}})
    said = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path, "digest": {"sha256": files[path]}} for path in sorted(files) if path != ATTESTATION],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "pkg:pypi/dateline#release/v1",
                "externalParameters": {"name": manifest.name, "version": manifest.version, "date": date},
                "internalParameters": {
                    "licenses": licences.as_json(),
                    "contentDigest": manifest.content_digest,
                    "logicalDigest": manifest.logical_digest,
                },
                "resolvedDependencies": inputs,
            },
            "runDetails": {
                "builder": {"id": "pkg:pypi/dateline", "version": manifest.writer},
                "byproducts": [_byproduct(file, result) for file in manifest.validation],
            },
        },
    }
    if wrong := list(_misfits(said)):  # a fault of ours, never of the release
        raise AssertionError(f"the statement is not as attestation.schema.json says: {wrong[0]}")
    return said


def _byproduct(file: Mapping[str, Any], result: Mapping[str, Any] | None) -> dict[str, Any]:
    said: dict[str, Any] = {"name": file["path"], "digest": {"sha256": file["sha256"]}}
    if result is not None and "/result-" in file["path"]:
        counts = result["counts"]
        said["annotations"] = {"success": not counts["failed"] and not counts["errors"], "counts": counts}
    return said


def sign(said: Mapping[str, Any], key: PrivateKey) -> bytes:
    """The envelope of a statement, as the file holds it; the same bytes each time."""
    payload = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    signature = key.sign(_pre_authentication(PAYLOAD_TYPE, payload))
    signatures = [{"keyid": key.public.fingerprint, "sig": base64.b64encode(signature).decode()}]
    envelope = {"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE, "signatures": signatures}
    return (json.dumps(envelope) + "\n").encode()


def _pre_authentication(kind: str, payload: bytes) -> bytes:
    """What DSSE signs (PAE): type and payload, each with its length, so that neither can be taken for the other."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


# ---- reading -------------------------------------------------------------------------------------------------


@dataclass
class Checked:
    """What an attestation says, and what is wrong with it."""

    signed_by: str = ""
    """The fingerprint of the key that it was signed with, as it says itself."""
    trusted: bool = False
    """Whether the key that was given signed it."""
    faults: list[str] = field(default_factory=list)


def check(raw: bytes, key: PublicKey | None, manifest: Manifest, files: Digests) -> Checked:
    """Compare the file of an attestation with a key, if one is given, and with a release: its manifest, its files."""
    try:
        kind, payload, signatures = _envelope(raw)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Checked(faults=["is no DSSE envelope on one line"])
    found = Checked(signed_by=", ".join(keyid for keyid, _ in signatures) or "nobody")
    if key is not None:
        message = _pre_authentication(kind, payload)
        found.trusted = any(key.verifies(signature, message) for _, signature in signatures)
        if not found.trusted:
            found.faults.append(_untrusted(key, signatures))
            return found
        found.signed_by = key.fingerprint  # the names of keys in an envelope are not signed: anybody may write others there
    if kind != PAYLOAD_TYPE:
        found.faults.append(f"holds a payload of type {kind!r}, but must be of {PAYLOAD_TYPE}")
        return found
    found.faults += _payload_faults(payload, manifest, files)
    return found


def _envelope(raw: bytes) -> tuple[str, bytes, list[tuple[str, bytes]]]:
    said = json.loads(raw)
    if raw.rstrip(b"\n").count(b"\n") or not isinstance(said["payloadType"], str):
        raise ValueError
    signatures = [(str(one.get("keyid", "")), _decoded(one["sig"])) for one in said["signatures"]]
    return said["payloadType"], _decoded(said["payload"]), signatures


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as fault:
        raise ValueError(str(fault)) from None


def _untrusted(key: PublicKey, signatures: list[tuple[str, bytes]]) -> str:
    names = [keyid for keyid, _ in signatures]
    if not names:
        return "has no signature"
    if key.fingerprint in names:
        return f"has been changed after it was signed: its signature by {key.fingerprint} is of something else"
    return f"is signed by another key: {', '.join(names)}, not {key.fingerprint}"


def _payload_faults(payload: bytes, manifest: Manifest, files: Digests) -> list[str]:
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return ["holds no JSON"]
    if wrong := list(_misfits(said)):
        return [f"holds no statement about a release: {wrong[0]}"]
    definition = said["predicate"]["buildDefinition"]
    named = definition["externalParameters"]
    faults = []
    if (named["name"], named["version"]) != (manifest.name, manifest.version):
        told = f"{named['name']} {named['version']}, but this is {manifest.name} {manifest.version}"
        faults.append(f"is of another release: {told} (an attestation of one release put to another?)")
    faults += _subject_faults(said["subject"], files)
    internal = definition["internalParameters"]
    if (internal["contentDigest"], internal["logicalDigest"]) != (manifest.content_digest, manifest.logical_digest):
        faults.append("names other content and logical digests than the manifest")
    inputs = {one["name"]: one["digest"].get("sha256") for one in definition["resolvedDependencies"]}
    faults += [f"names another digest of the {name}" for name, digest in manifest.inputs.items() if inputs.get(name) != digest]
    return faults


def _subject_faults(subject: list[dict[str, Any]], files: Digests) -> list[str]:
    """How the signed list of files differs from those that there are."""
    listed = {one["name"]: one["digest"]["sha256"] for one in subject}
    faults = ["names a file twice"] if len(listed) < len(subject) else []
    there = {path: digest for path, digest in files.items() if path != ATTESTATION}
    faults += [
        f"was signed for {path} with other contents" for path in sorted(listed.keys() & there) if listed[path] != there[path]
    ]
    faults += [f"was signed for {path}, which is not there" for path in sorted(listed.keys() - there)]
    return faults + [f"was not signed for {path}, which is there" for path in sorted(there.keys() - listed)]


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    schema = json.loads((resources.files("dateline") / "attestation.schema.json").read_bytes())
    return jsonschema_rs.Draft202012Validator(schema)


def _misfits(said: Any) -> list[str]:
    """What of a statement is not as its schema says, each with its place."""
    found = []
    for fault in _validator().iter_errors(said):
        place = ".".join(map(str, fault.instance_path)) or "it"
        found.append(f"{place}: {fault.message[:200]}")
    return found
