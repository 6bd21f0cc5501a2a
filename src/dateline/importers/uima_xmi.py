"""UIMA CAS XMI (OASIS UIMA 1.0; Apache UIMA References, "XMI CAS Serialization"): INCEpTION, WebAnno, DKPro, any UIMA tool.

XMI does not say which attribute is a number and which a reference, so a type system must lie beside the file:
`<file>-typesystem.xml`, `TypeSystem.xml` or the only `*typesystem*.xml` of its folder or of a folder above; or the option
`typesystem` names it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dateline import inception, uima
from dateline.document import Document, Refused
from dateline.errors import InputError, Place
from dateline.incoming import Incoming
from dateline.uima import Cas, Range, Sofa, Structure, Types, Unreadable

if TYPE_CHECKING:
    from lxml.etree import _Element

NAME = "uima-xmi"
TITLE = "UIMA CAS XMI"
SUFFIXES = (".xmi",)
OPTIONS = {**inception.OPTIONS, "typesystem": ""}

_XMI = "{http://www.omg.org/XMI}"
_CAS = "{http:///uima/cas.ecore}"
_NULL = "0"


def looks_like(incoming: Incoming) -> float:
    """Sure where files say that they are XMI."""
    names, _ = inception.files_of(incoming, *SUFFIXES)
    return 0.9 * sum(b"http://www.omg.org/XMI" in incoming.raw(n)[:4096] for n in names[:3]) / (len(names[:3]) or 1)


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """The documents of all XMI files."""
    return inception.read_files(incoming, SUFFIXES, partial(_read_one, incoming, {}))


def _read_one(incoming: Incoming, known: dict[bytes, Types], file: str, name: str) -> Iterator[Document | Refused]:
    root = incoming.xml(file)
    if root.tag != f"{_XMI}XMI":
        raise InputError(f"{incoming.place(file)}: is no XMI: its root is {root.tag!r}")
    described = _type_system(incoming, file)
    types = incoming.raw(described)  # by its bytes: each archive of an export holds the same one
    if types not in known:
        incoming.xml(described)
        known[types] = uima.load_types(types, incoming.place(described))
    cas = Cas(incoming.place(file), known[types])
    for element in root:
        _take(cas, element, incoming.place(file, element.sourceline or 0))
    return uima.documents(cas, name, incoming)


def _type_system(incoming: Incoming, file: str) -> str:
    """The name of the type system that belongs to a file."""
    if wanted := incoming.options["typesystem"]:
        if wanted not in incoming.names:
            raise InputError(f"{incoming.place(file)}: option typesystem names {wanted!r}, which is not among the files")
        return str(wanted)
    path = PurePosixPath(file)
    described = [PurePosixPath(n) for n in incoming.named(".xml") if "typesystem" in PurePosixPath(n).name.lower()]
    for folder in path.parents:
        here = {p.name.lower(): p for p in described if p.parent == folder}
        for likely in (f"{path.stem}-typesystem.xml".lower(), f"{path.stem}.typesystem.xml".lower(), "typesystem.xml"):
            if likely in here:
                return here[likely].as_posix()
        if len(here) == 1:
            return next(iter(here.values())).as_posix()
        if here:
            raise InputError(f"{incoming.place(file)}: several type systems lie there; name one: typesystem = {min(here)!r}")
    raise InputError(f"{incoming.place(file)}: no type system lies beside it; put its TypeSystem.xml there, as tools export it")


def _take(cas: Cas, element: _Element, place: Place) -> None:
    """Read a child of the root: a sofa, a view, or a feature structure."""
    structure_id = element.get(f"{_XMI}id", "")
    type_name = _type_name(str(element.tag))
    try:
        if element.tag == f"{_CAS}NULL":
            return
        if element.tag == f"{_CAS}View":
            cas.members.setdefault(element.get("sofa", ""), []).extend(element.get("members", "").split())
        elif element.tag == f"{_CAS}Sofa":
            cas.add_sofa(_sofa(element, place))
        elif not structure_id:
            raise Unreadable("has no xmi:id")
        elif type_name not in cas.types:
            raise Unreadable("is of a type that its type system does not have")
        else:
            cas.add(_structure(cas.types, element, structure_id, type_name, place))
    except Unreadable as fault:
        cas.refuse(type_name, structure_id, place, str(fault))


def _type_name(tag: str) -> str:
    """`{http:///a/b.ecore}C` as `a.b.C`."""
    namespace, _, local = tag.removeprefix("{").rpartition("}")
    package = namespace.removeprefix("http:///").removesuffix(".ecore").replace("/", ".")
    return local if package in ("", "uima.noNamespace") else f"{package}.{local}"


def _sofa(element: _Element, place: Place) -> Sofa:
    said = {name: str(element.get(name)) for name in ("mimeType", "sofaURI") if element.get(name)}
    return Sofa(element.get(f"{_XMI}id", ""), element.get("sofaID", uima.INITIAL_VIEW), element.get("sofaString"), place, said)


def _structure(types: Types, element: _Element, structure_id: str, type_name: str, place: Place) -> Structure:
    made = Structure(structure_id, type_name, place)
    features = types.features(type_name)
    children: dict[str, list[str | None]] = {}
    for child in element:
        children.setdefault(str(child.tag), []).append(child.text or "")
        if len(child):
            raise Unreadable(f"has elements inside {child.tag!r}")
    written: dict[str, str | list[str | None]] = {str(name): str(value) for name, value in element.attrib.items()}
    written = {name: value for name, value in written.items() if not name.startswith(_XMI)}
    if twice := children.keys() & written.keys():
        raise Unreadable(f"has the feature {min(twice)} twice")
    for name, value in {**written, **children}.items():
        if name not in features:
            raise Unreadable(f"has a feature {name}, which its type does not have")
        _set(made, name, value, features[name])
    if uima.element_kind(type_name) and "elements" in features and not made.values and not made.many:
        _set(made, "elements", "", features["elements"])
    return made


def _set(made: Structure, name: str, value: str | list[str | None], feature: Range) -> None:
    """Set a feature to what an attribute, or child elements, say."""
    if name == "sofa" and isinstance(value, str):
        made.refs[name] = value
    elif feature.kind == "bytes" and isinstance(value, str):
        made.values[name] = _base64(value)
    elif feature.many and feature.kind:
        made.values[name] = uima.all_plain(value if isinstance(value, list) else value.split(), feature.kind)
    elif feature.many:
        written = value.split() if isinstance(value, str) else [one or _NULL for one in value]
        made.many[name] = ["" if one == _NULL else one for one in written]
    elif isinstance(value, list) and len(value) != 1:
        raise Unreadable(f"has several values of {name}")
    else:
        one = value if isinstance(value, str) else value[0] or ""
        if feature.kind:
            made.values[name] = uima.plain(one, feature.kind)
        elif one != _NULL:
            made.refs[name] = one


def _base64(written: str) -> str:
    """Bytes, which XMI writes in hexadecimal digits, as JSON has them."""
    try:
        return base64.b64encode(binascii.unhexlify(written)).decode()
    except ValueError:
        raise Unreadable("has a value that is no bytes") from None
