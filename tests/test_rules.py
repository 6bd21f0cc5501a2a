"""The registry: one id, one rule, one stage; docs/rules.md is what it prints."""

from __future__ import annotations

import re

import pytest

from building import MENTIONS, REPOSITORY, Json, ProjectFolder, mention, record
from conftest import Run
from dateline.errors import SchemaError
from dateline.rules import RULES, registry
from dateline.schema import load_schemas


def test_docs_rules_is_what_the_registry_prints(dateline: Run) -> None:
    assert (REPOSITORY / "docs" / "rules.md").read_text(encoding="utf-8") == dateline("rules", "--md").stdout


def test_every_rule_has_one_stage_a_message_and_a_hint() -> None:
    rules = registry(load_schemas(REPOSITORY / "schemas"), REPOSITORY / "expectations")
    assert len(rules) > 90
    for rule in rules.values():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id), rule
        assert rule.stage in {"check", "derive", "import", "migrate", "leak", "validate", "splits"}, rule
        assert rule.level in {"error", "warning"}, rule
        assert rule.message and rule.hint, rule


def test_a_project_states_laws_of_its_own_in_its_schemas(folder: ProjectFolder) -> None:
    law: Json = {
        "id": "no-minors",
        "says": "is scored below zero",
        "hint": "Scores are from 0 up.",
        "then": {"properties": {"score": {"minimum": 0}}},
    }
    folder.schema("mentions", MENTIONS | {"x-rules": [law]})
    folder.seed(record("a1", mentions=[mention("m1", 0, 3, score=-1)]))
    (fault,) = folder.rebuild().problems
    assert str(fault) == "seeds/a.jsonl:1 $.mentions[0]  is scored below zero  [no-minors]"
    assert registry(load_schemas(folder.root / "schemas"))["no-minors"].owner == "mentions"


@pytest.mark.parametrize(
    ("law", "says"),
    [
        ({"id": next(iter(RULES)), "says": "x", "then": {}}, "is taken by engine"),
        ({"id": "a", "says": "x"}, "has id, says and then"),
        ({"id": "a", "says": "x", "then": {"type": "strong"}}, "is no valid JSON Schema"),
        ({"id": "a", "says": "x", "then": {}, "equal": ["nothing"]}, "has no column 'nothing'"),
    ],
)
def test_a_law_that_cannot_be_is_one_clear_line(folder: ProjectFolder, law: Json, says: str) -> None:
    folder.schema("mentions", MENTIONS | {"x-rules": [law]})
    with pytest.raises(SchemaError, match=r"mentions\.schema\.json") as caught:
        registry(load_schemas(folder.root / "schemas"))
    assert says in str(caught.value)


def test_no_rule_is_decided_twice(folder: ProjectFolder) -> None:
    (folder.root / "expectations").mkdir()
    text = '[[rules]]\nid = "reference"\ntable = "mentions"\nsays = "x"\nreason = "y"\n'
    (folder.root / "expectations" / "rules.toml").write_text(text)
    with pytest.raises(SchemaError, match="'reference' is taken by engine"):
        registry(load_schemas(folder.root / "schemas"), folder.root / "expectations")
