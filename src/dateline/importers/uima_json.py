"""UIMA CAS in JSON (Apache UIMA, "JSON CAS" 0.4; INCEpTION's "UIMA CAS JSON"): feature structures with their type system inside.

`%ID` and `%TYPE` name a feature structure, `@feature` is a reference, `#feature` a number that JSON cannot write, `%ELEMENTS` an
array; `%TYPES` is the type system; where a file leaves it out, the features that are written are taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import orjson

from dateline import inception, uima
from dateline.document import Document, Refused
from dateline.errors import InputError, Place
from dateline.incoming import Incoming
from dateline.uima import Cas, Sofa, Structure, Types, Unreadable

NAME = "uima-json"
TITLE = "UIMA CAS in JSON"
SUFFIXES = (".json",)
OPTIONS = inception.OPTIONS

_TABLES = {"%TYPES", "%FEATURE_STRUCTURES", "%VIEWS", "%VERSION"}
_RESERVED = ("%ID", "%TYPE", "%ELEMENTS", "%FLAGS")


def looks_like(incoming: Incoming) -> float:
    """Sure where files hold feature structures by that name."""
    names, _ = inception.files_of(incoming, *SUFFIXES)
    return 0.9 * sum(b'"%FEATURE_STRUCTURES"' in incoming.raw(n) for n in names[:3]) / (len(names[:3]) or 1)


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """The documents of all JSON files."""
    return inception.read_files(incoming, SUFFIXES, partial(_read_one, incoming, {}))


def _read_one(incoming: Incoming, known: dict[bytes, Types], file: str, name: str) -> Iterator[Document | Refused]:
    place = incoming.place(file)
    try:
        written = orjson.loads(incoming.raw(file).removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as fault:
        raise InputError(f"{incoming.place(file, fault.lineno)}: is no JSON: {fault.msg}") from None
    if not isinstance(written, dict) or not written.keys() & _TABLES:
        raise InputError(f"{place}: is no CAS in JSON: it has no %FEATURE_STRUCTURES")
    types: dict[str, Any] = {"%TYPES": written.get("%TYPES") or {}, "%FEATURE_STRUCTURES": [], "%VIEWS": {}}
    described = orjson.dumps(types)
    if described not in known:  # most files of a project have the same types
        known.clear()
        known[described] = uima.embedded_types(described, place)
    cas = Cas(place, known[described])
    if unknown := written.keys() - _TABLES:
        cas.refuse("document", "", place, f"has {min(unknown)}, which this format does not have")
    for structure, pointer in _structures(written.get("%FEATURE_STRUCTURES") or [], place):
        _take(cas, structure, place.at(pointer))
    _views(cas, written.get("%VIEWS") or {})
    return uima.documents(cas, name, incoming)


def _structures(written: Any, place: Place) -> Iterator[tuple[Any, str]]:
    """The feature structures, a list, or a table by id, with where each stands."""
    if isinstance(written, list):
        yield from ((one, f"$.%FEATURE_STRUCTURES[{n}]") for n, one in enumerate(written))
    elif isinstance(written, dict):
        for key, one in written.items():
            yield ({"%ID": key, **one} if isinstance(one, dict) else one), f"$.%FEATURE_STRUCTURES.{key}"
    else:
        raise InputError(f"{place}: %FEATURE_STRUCTURES is no list")


def _views(cas: Cas, written: Any) -> None:
    place = cas.place.at("$.%VIEWS")
    if not isinstance(written, dict):
        cas.refuse("document", "", place, "is no table of views")
        return
    by_name = {sofa.name: sofa.id for sofa in cas.sofas.values()}
    for name, view in written.items():
        members = view.get("%MEMBERS") if isinstance(view, dict) else None
        if not isinstance(members, list):
            cas.refuse("document", "", place.at(f"$.%VIEWS.{name}"), "is no view with members")
        elif name in by_name:
            cas.members.setdefault(by_name[name], []).extend(str(member) for member in members)


def _take(cas: Cas, written: Any, place: Place) -> None:
    """Read one entry of the feature structures: a sofa or another."""
    type_name = str(written.get("%TYPE", "")) if isinstance(written, dict) else "document"
    structure_id = ""
    try:
        if not isinstance(written, dict):
            raise Unreadable("is no table")
        structure_id = _id(written.get("%ID"))
        if type_name == uima.SOFA:
            cas.add_sofa(_sofa(written, structure_id, place))
        elif type_name not in cas.types:
            raise Unreadable("is of a type that its type system does not have")
        else:
            cas.add(_structure(cas.types, written, structure_id, type_name, place))
    except Unreadable as fault:
        cas.refuse(type_name, structure_id, place, str(fault))


def _id(written: Any) -> str:
    if isinstance(written, bool) or not isinstance(written, int | str) or written == "":
        raise Unreadable("has no %ID")
    return str(written)


def _sofa(written: dict[str, Any], sofa_id: str, place: Place) -> Sofa:
    said = {name: written[name] for name in ("mimeType", "sofaURI") if isinstance(written.get(name), str)}
    text, name = written.get("sofaString"), written.get("sofaID", uima.INITIAL_VIEW)
    if not isinstance(name, str) or not isinstance(text, str | None):
        raise Unreadable("has an id or a text that is no string")
    return Sofa(sofa_id, name, text, place, said)


def _structure(types: Types, written: dict[str, Any], structure_id: str, type_name: str, place: Place) -> Structure:
    made = Structure(structure_id, type_name, place)
    collection = uima.element_kind(type_name)
    if collection and collection[1]:
        _elements(made, written.get("%ELEMENTS"), collection[0])
    features = types.features(type_name)
    for key, value in written.items():
        name = key.removeprefix("@").removeprefix("#")
        if key in _RESERVED or value is None:
            continue
        if name not in features:
            raise Unreadable(f"has a feature {name}, which its type does not have")
        kind = features[name].kind
        if key.startswith("@"):
            made.refs[name] = _id(value)
        elif features[name].many or not kind:
            raise Unreadable(f"has a value for {name}, which holds references")
        else:
            made.values[name] = uima.plain(value, kind)
    return made


def _elements(made: Structure, elements: Any, kind: str) -> None:
    if kind == "bytes":
        made.values["elements"] = uima.plain(elements or "", kind)
    elif not isinstance(elements, list | None):
        raise Unreadable("has %ELEMENTS that are no list")
    elif kind:
        made.values["elements"] = uima.all_plain(elements or [], kind)
    else:
        made.many["elements"] = ["" if one is None else _id(one) for one in elements or []]
