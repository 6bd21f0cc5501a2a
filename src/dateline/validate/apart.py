"""Whether a query keeps articles apart: whether its rows of some articles follow from the rows of these articles alone.

If so, a part of the articles at a time gives the rows that all of them at once give, in the memory that the part takes. That is
proven from the query's syntax tree, as DuckDB writes it, and from which tables have a row's article in `article_id`: joins are on
it, groups and windows are within it. What a proof is not known for (another kind of join, a star, a LIMIT) counts as not kept
apart, which is never wrong, only dear.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

Node = dict[str, Any]

KEY = "article_id"
_EXPRESSIONS = frozenset(
    ("COLUMN_REF", "CONSTANT", "TYPE", "FUNCTION", "CASE", "COMPARISON", "CONJUNCTION", "OPERATOR", "CAST", "BETWEEN", "WINDOW")
)
_OF_VALUES = frozenset(("range", "generate_series", "unnest"))
_UNUSED = ("sample", "qualify", "modifiers", "at_clause", "column_name_alias", "using_columns", "catalog_name", "schema_name")


class _NotKept(Exception):
    """There is no proof."""


def keeps_apart(
    tree: str, apart: Collection[str], whole: Collection[str], scalars: Collection[str], folds: Collection[str]
) -> bool:
    """Whether a query, as `json_serialize_sql` writes it, keeps articles apart.

    Rows of the tables `apart` belong to the article that they name; those `whole` are the same beside any article. `scalars` and
    `folds` are the functions that give a value for a row, and for a group. The query's own result has `article_id`.
    """
    try:
        (statement,) = json.loads(tree)["statements"]
        if any(_named_otherwise(node) or _reads_by_name(node) for node in _nodes(statement)):
            return False
        return _query(statement["node"], {**dict.fromkeys(whole, False), **dict.fromkeys(apart, True)}, scalars, folds)
    except (_NotKept, KeyError, ValueError, TypeError, AttributeError):
        return False


def _query(node: Node, known: Mapping[str, bool], scalars: Collection[str], folds: Collection[str]) -> bool:
    """Whether the rows of a query belong to the article that they name; if not, they are the same beside any. Raises _NotKept."""
    own = {part["key"] for part in node["cte_map"]["map"]}
    if own & known.keys() or any(part["value"]["aliases"] for part in node["cte_map"]["map"]):
        raise _NotKept
    read = {one["table_name"] for one in _nodes(node) if one.get("type") == "BASE_TABLE"} - own
    if all(known.get(name, True) is False for name in read):
        return False
    _plain(node)
    named = dict(known)
    for part in node["cte_map"]["map"]:
        named[part["key"]] = _query(part["value"]["query_node"], named, scalars, folds)
    if node["type"] == "SET_OPERATION_NODE":
        if node["setop_type"] != "UNION" or not node["setop_all"]:
            raise _NotKept
        for side in node["children"] if "children" in node else (node["left"], node["right"]):
            # columns of a union meet by their places
            if not _query(side, named, scalars, folds) or _called(side["select_list"][0]) != KEY:
                raise _NotKept
        return True
    if node["type"] != "SELECT_NODE":
        raise _NotKept
    sources = _sources(node["from_table"], named, scalars, folds)
    first, kept = next(iter(sources.items()))
    if not kept:
        raise _NotKept
    alone = len(sources) == 1
    groups = node["group_expressions"]
    if groups and (len(node["group_sets"]) != 1 or not any(_is_key(group, first, alone) for group in groups)):
        raise _NotKept
    keys = [column for column in node["select_list"] if _called(column) == KEY]
    if len(keys) != 1 or not _is_key(keys[0], first, alone):
        raise _NotKept
    for part in (node["select_list"], groups, node["where_clause"], node["having"]):
        for one in _nodes(part):
            _expression(one, first, alone, bool(groups), scalars, folds)
    return True


def _sources(node: Node, named: Mapping[str, bool], scalars: Collection[str], folds: Collection[str]) -> dict[str, bool]:
    """What a FROM joins, by alias: whether its rows belong to articles. Of what stands first all rows are kept."""
    _plain(node)
    kind = node["type"]
    if kind == "BASE_TABLE":
        name = node["table_name"]
        if name not in named:
            raise _NotKept
        return {node["alias"] or name: named[name]}
    if kind == "SUBQUERY":
        return {node["alias"]: _query(node["subquery"]["node"], named, scalars, folds)}
    if kind != "JOIN" or node["join_type"] not in ("INNER", "LEFT") or node["ref_type"] not in ("REGULAR", "CROSS"):
        raise _NotKept
    left, right = (_sources(node[side], named, scalars, folds) for side in ("left", "right"))
    if len(right) != 1 or left.keys() & right.keys() or not next(iter(left.values())):
        raise _NotKept
    ((alias, kept),) = right.items()
    if kept and not any(_meets(one, left, alias) for one in _conditions(node["condition"])):
        raise _NotKept
    for one in _nodes(node["condition"]):
        _expression(one, "", False, False, scalars, ())
    return left | right


def _conditions(node: Node | None) -> Iterator[Node]:
    """What must hold, all of it."""
    if node is None:
        return
    if node["type"] == "CONJUNCTION_AND":
        for child in node["children"]:
            yield from _conditions(child)
    else:
        yield node


def _meets(node: Node, left: Mapping[str, bool], right: str) -> bool:
    """Whether a condition is that the article of `right` is that of something before it. NULL is no article here: `=` alone."""
    if node["type"] != "COMPARE_EQUAL":
        return False
    sides = [_path(node["left"]), _path(node["right"])]
    return any(a == [right, KEY] and len(b) == 2 and b[1] == KEY and left.get(b[0], False) for a, b in (sides, sides[::-1]))


def _path(node: Node) -> list[str]:
    return list(node["column_names"]) if node["class"] == "COLUMN_REF" else []


def _called(node: Node) -> str:
    """The name of a column of a result."""
    return str(node["alias"] or (_path(node) or [""])[-1])


def _is_key(node: Node, first: str, alone: bool) -> bool:
    """Whether an expression is the article of what stands first, which is there for each row."""
    return _path(node) == [first, KEY] or (alone and _path(node) == [KEY])


def _expression(node: Node, first: str, alone: bool, grouped: bool, scalars: Collection[str], folds: Collection[str]) -> None:
    """Raises _NotKept for what may look beyond the row, its group and its article."""
    kind = node.get("class")
    if kind is None:
        if node.get("type") in ("SELECT_NODE", "SUBQUERY"):
            raise _NotKept
        return
    if kind not in _EXPRESSIONS:
        raise _NotKept
    if kind == "WINDOW" and not any(_is_key(one, first, alone) for one in node["partitions"]):
        raise _NotKept
    if kind == "FUNCTION":
        name = node["function_name"]
        if not (name in scalars and name not in folds) and not (grouped and name in folds):
            raise _NotKept


def _named_otherwise(node: Node) -> bool:
    """Whether a name has capitals, which SQL does not tell from small letters."""
    names = [node.get(name) for name in ("alias", "table_name", "key")] + list(node.get("column_names") or ())
    return any(isinstance(name, str) and name != name.lower() for name in names)


def _reads_by_name(node: Node) -> bool:
    """Whether a function in a FROM may read a table, whose name is a word to it (`query_table`), or aught but values."""
    return node.get("type") == "TABLE_FUNCTION" and node["function"]["function_name"] not in _OF_VALUES


def _plain(node: Node) -> None:
    """Raises _NotKept for clauses that are not looked at here."""
    if any(node.get(clause) for clause in _UNUSED):
        raise _NotKept


def _nodes(node: Any) -> Iterator[Node]:
    """All objects of a tree."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)
