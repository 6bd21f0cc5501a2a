"""The registry of all that can be wrong: one rule, one id, one stage, one message.

A message is a `str.format` template; `problem` fills it. The engine's rules stand here; the laws that a project states about
its own layers (`x-rules`) stand in its schemas, and `registry` joins both. Stages: "check" (decided from records before
anything is written), "derive" (from the articles of a story together, when estimates follow), "import" (from the files of
another format), "leak" (from finished files, before any is put in place), "validate" (from whole tables, by a suite), "splits"
(from the texts of a dataset, compared across its splits).

The engine's own "validate" rules are no second form of its "check" rules: check decides about records on their way in, these
about the published tables of any release, also a stranger's, whose records nobody here has seen. The suites that follow from
schemas/ carry them (`dateline suites`); one rule may be carried by many expectations.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from dateline.errors import Place, Problem, SchemaError
from dateline.schema import Schemas


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong: its id, the stage that decides it, message template, hint, level; whose rule it is."""

    id: str
    stage: str
    message: str
    hint: str
    level: str = "error"
    owner: str = "engine"


_RULES = (
    # reading
    Rule("json-syntax", "check", "is not valid JSON: {fault}", "One JSON object per .json file, one per line of .jsonl."),
    Rule(
        "json-object",
        "check",
        "is {found}, but a record is a JSON object",
        "Put several records into a .jsonl file, one on each line.",
    ),
    Rule("utf8", "check", "is not valid UTF-8: {fault}", "Save the file as UTF-8."),
    Rule("bom", "check", "begins with a byte order mark", "Save the file as UTF-8 without BOM."),
    Rule(
        "lone-surrogate",
        "check",
        "holds a lone surrogate (\\ud800-\\udfff), which is no character",
        "Write the character itself, or its full surrogate pair.",
    ),
    Rule("duplicate-key", "check", "names the key {key!r} twice in one object", "Remove one; JSON would silently keep the last."),
    Rule("number-finite", "check", "holds {found}, which is no finite JSON number", "Use null where a number is not stated."),
    Rule("compressed", "check", "cannot be decompressed: {fault}", "The file is cut short or damaged; get it again."),
    Rule("record-size", "check", "is longer than {limit} MiB", "Split the article, or leave out what is not annotation."),
    Rule(
        "expansion",
        "check",
        "expands to more than {times} times its size, as no annotated text does",
        "Look at what it holds; a file that is not compressed is read without this limit.",
    ),
    Rule(
        "too-many",
        "check",
        "may have more problems than are listed; the rest was not checked",
        "Correct these first, then check again.",
    ),
    # shape
    Rule(
        "unknown-field",
        "check",
        "unknown field {found}; known here: {known}",
        "Correct the name, or describe the field in the layer's schema.",
    ),
    Rule("missing-field", "check", "lacks the field {field!r}", "Add it; schemas/ says what it means."),
    Rule("wrong-type", "check", "is {found}, but must be {expected}", "See the field in the layer's schema."),
    Rule("unknown-label", "check", "is {found}, but must be one of {expected}", "Correct it, or add the label to the schema."),
    Rule("number-range", "check", "is {found}, but must be {limit}", "Correct the number."),
    Rule("date", "check", "is {found}, which is no date of the calendar", "Write YYYY-MM-DD."),
    Rule(
        "edtf",
        "check",
        "is {found}, which is not valid EDTF",
        "Write an EDTF date or interval, such as 2024-10 or 2024-10-28/2024-11-03.",
    ),
    Rule("language-tag", "check", "is {found}, which is no valid BCP 47 language tag", "Write a tag such as en, de or pt-BR."),
    Rule("country-code", "check", "is {found}, which is no ISO 3166-1 alpha-2 country code", "Write a code such as KR, or null."),
    Rule(
        "license-expression",
        "check",
        "is {found}, which is no SPDX licence expression",
        "Write an SPDX expression such as CC-BY-4.0, or LicenseRef-YourName.",
    ),
    Rule("bad-value", "check", "{says}", "See the field in the layer's schema."),
    Rule(
        "number-precision",
        "check",
        "is {found}, but {reason}",
        "Round the number, or widen x-decimal in the schema.",
    ),
    # text and rights
    Rule(
        "text-hash",
        "check",
        "says sha256 {found}…, but the text has {expected}…",
        "The text is not the one that was annotated; a changed text is a new article.",
    ),
    Rule("text-length", "check", "says {found}, but the text has {expected}", "Count Unicode code points, and UTF-8 bytes."),
    Rule(
        "text-missing",
        "check",
        "is null, so the text needs {field!r} beside it",
        "A stand-off record names its text by sha256, n_code_points and n_bytes.",
    ),
    Rule("text-nul", "check", "holds a NUL at character {at}, which is no text", "Remove it before annotating: offsets change."),
    Rule(
        "rights-private",
        "check",
        "is LicenseRef-private, so the text is a private project's, but this project is not private",
        "Remove the record; or set text_redistributable to false, which withholds the text; "
        "or set private = true in [tool.dateline], if the project is to stay with you.",
    ),
    Rule(
        "text-minhash",
        "check",
        "{says}",
        "Remove it; `dateline sign` makes it again from the text.",
    ),
    # keys, references
    Rule(
        "duplicate-id", "check", "{found!r} stands at {other} already", "Local ids are unique in the article, across its layers."
    ),
    Rule(
        "reference",
        "check",
        "refers to {found!r}, but no item of {layer!r} has that id{elsewhere}",
        "Correct the id, or add the item.",
    ),
    Rule("reference-cycle", "check", "refers back to itself: {cycle}", "A parent cannot be its own descendant."),
    # annotation sets
    Rule(
        "set-layer",
        "check",
        "names the annotation set {found!r}, which is of the layer {layer!r}",
        "An annotation set is of one layer; name one of this layer, or add it to annotation_sets.",
    ),
    Rule(
        "set-unnamed",
        "check",
        "names no annotation set, but {layer!r} has an adjudicated one here and others",
        "Say whose item it is: else nobody knows on which side it stands.",
    ),
    Rule(
        "set-apart",
        "check",
        "refers to {found!r}, an item of {set!r}, which stands apart since {layer!r} was adjudicated",
        "Refer to the adjudicated item, or leave this one out of the record (docs/agreement.md).",
    ),
    # spans
    Rule("span-order", "check", "is [{start}, {end}), which is {fault}", "Spans are half-open: start < end."),
    Rule(
        "span-inside-text",
        "check",
        "ends at {end}, but the text has {length} characters",
        "Offsets count Unicode code points, not bytes and not UTF-16 units.",
    ),
    Rule(
        "span-sorted",
        "check",
        "begins at {start}, before the end of the span before it ({previous})",
        "List the pieces of a span in text order, without overlap.",
    ),
    Rule("span-edge", "check", "{side} with white space", "Move the offset to the first or last letter."),
    Rule("span-surface", "check", "has {says}", "{advice}"),
    Rule("span-within", "check", "[{start}, {end}) lies outside {outer}", "Widen the outer span, or correct this one."),
    # laws that schemas state
    Rule("ascending", "check", "has {fields} in descending order", "The smaller or earlier value comes first."),
    Rule(
        "span-outside",
        "check",
        "[{start}, {end}) shares characters with {other}",
        "The two are parts of their own: cut one of them.",
    ),
    Rule("depth", "check", "is {found}, but must be {expected}: {reason}", "It is 1 without a parent, else the parent's plus 1."),
    Rule(
        "quotation-marks",
        "check",
        "is {found}, but {reason}",
        "Look at the quotation marks in the text.",
    ),
    Rule(
        "target",
        "check",
        "refers to {found!r}, whose {field} is {value}; it must be one of {expected}",
        "Refer to another item, or correct that item.",
    ),
    Rule(
        "present",
        "check",
        "is {found}, but {other} {key!r} has {field} {value}",
        "It is given exactly where {field} is one of {expected}.",
    ),
    Rule(
        "text-covered",
        "check",
        "leave characters {start} to {end} outside all items with {field} {values}",
        "Annotate the rest of the text.",
    ),
    # all records together
    Rule(
        "duplicate-article", "check", "article {found!r} stands at {other} already", "Remove one, or give it another article_id."
    ),
    Rule("supersedes", "check", "supersedes {found!r}, which is not in the corpus", "Correct the id."),
    Rule(
        "split-given",
        "check",
        'has no split, but splits.mode is "given"',
        'Give every record a split, or use splits.mode = "computed".',
    ),
    Rule(
        "minhash-made",
        "check",
        "was made as {found}, but [tool.dateline.splits] says {expected}, and the two cannot be compared",
        "Make it again from the text: remove it and run `dateline sign`.",
    ),
    Rule(
        "split-bridge",
        "check",
        "article {found!r} is left out: it connects released articles of different splits ({articles})",
        "Released articles never move; an unreleased one that would join their splits cannot be placed without a leak.",
        level="warning",
    ),
    Rule(
        "split-assigned",
        "check",
        "group {found!r} is assigned to split {split!r}, but belongs together with a group that is assigned to {other!r}",
        "Assign both to one split in [tool.dateline.splits] assigned, or find out why their texts are alike.",
    ),
    Rule(
        "split-leak",
        "check",
        "article {found!r} ({split}) {relation} {other!r} ({other_split}), which stands at {at}",
        "Who trains on one and tests on the other sees the test beforehand.",
        level="warning",
    ),
    Rule(
        "retracted",
        "check",
        "article {found!r} {what} ({reason})",
        "What was retracted does not come back: remove the record.",
    ),
    Rule(
        "released-missing",
        "check",
        "article {found!r}, released in {version}, is in no file",
        "Bring its record back; if it is meant to go, `dateline retract` says why. The next release is a major one.",
        level="warning",
    ),
    # the finished files
    Rule(
        "leak",
        "leak",
        "{where} repeats {length} {unit} of the withheld text of {article}",
        "Take the words out of the record, table or setting that they come from, or mark the field x-withheld in its schema.",
    ),
    Rule(
        "leak-long-string",
        "leak",
        "{where} holds {length} characters, but a string beside a withheld text may have {limit}",
        "Mark the field x-withheld if it can quote the text; else shorten it, or raise longest_string in [tool.dateline].",
    ),
    Rule(
        "text-unfit",
        "leak",
        "is not the text of {article} that was annotated: it has sha256 {found}…, expected {expected}…",
        "Get the text as it was annotated, byte for byte: line ends, byte order mark and last line break count.",
    ),
    # derived tables: what only the articles of a story together can tell
    Rule(
        "restatement-cycle",
        "derive",
        "restates itself ({through})",
        "A restatement names an earlier number; take one of the references out.",
    ),
    Rule(
        "estimand-unit",
        "derive",
        "is an estimate of {estimand!r} and has no unit, so nothing can be compared with it",
        "Give the quantity its unit: UCUM, with {{annotation}} units such as {{person}} for counts; ISO 4217 for money.",
    ),
    Rule(
        "estimand-kinds",
        "derive",
        "is in {found}, but other estimates of {estimand!r} are in {other}: these cannot be compared",
        "Correct the unit or the estimand; or give a rate between the two in [[tool.dateline.estimates.rates]].",
    ),
    Rule(
        "estimand-rate",
        "derive",
        "is in {found}, other estimates of {estimand!r} are in {other}, and there is no rate between the two",
        'Give one in pyproject.toml: [[tool.dateline.estimates.rates]] unit = "{found}", to = "{other}", factor = "...".',
    ),
    Rule(
        "estimand-measure",
        "derive",
        "measures {found}, but other estimates of {estimand!r} measure {other}",
        "One estimand has one measure; correct it, or give the estimand another name.",
    ),
    Rule(
        "judgement-estimate",
        "derive",
        "judges {found}, which is no estimate of the story",
        "Estimates are called article_id#claim_id:quantity_id, of claims that name an estimand; `dateline estimates` lists them.",
    ),
    Rule("judgement-twice", "derive", "judges a pair that {other} judges already", "Keep one judgement of a pair."),
    # import
    Rule("import-syntax", "import", "{fault}", "docs/authoring.md describes the format."),
    Rule("words-not-found", "import", "{words!r} {fault}", "{advice}"),
    # migrate
    Rule("migrate-version", "migrate", "{fault}", "docs/migrations.md says how records and migrations name their version."),
    Rule("migrate-step", "migrate", "{target} step {number} ({step}) {fault}", "{advice}"),
    # published tables, of any release
    Rule("row-columns", "validate", "the table has other columns than its schema", "Rebuild with the schemas of the release."),
    Rule(
        "row-present",
        "validate",
        "a value is missing that every row has ({column})",
        "The schema requires the field, or the engine fills it.",
    ),
    Rule("row-unique", "validate", "two rows have the same key", "Two rows of one key cannot be told apart."),
    Rule("row-label", "validate", "a label is none of its column's ({column})", "Correct it, or add the label to the schema."),
    Rule("row-range", "validate", "a number or a length is outside its range ({column})", "The schema says the range."),
    Rule("row-pattern", "validate", "a value has not the form of its column ({column})", "The schema says the pattern."),
    Rule("row-items", "validate", "a list has too few or too many items, or one twice ({column})", "The schema says how many."),
    Rule("row-ascending", "validate", "values that may not descend do ({column})", "The smaller or earlier value comes first."),
    Rule(
        "row-derived",
        "validate",
        "a computed column does not follow from the others ({column})",
        "Rebuild; nobody writes such a column.",
    ),
    Rule("row-depth", "validate", "a depth is not its parent's plus 1 ({column})", "It is 1 without a parent."),
    Rule("row-law", "validate", "a row breaks a law of its schema ({column})", "x-rules in the table's schema says it in words."),
    Rule("row-passage", "validate", "a passage is not words of its article ({column})", "Rebuild; passages are cut from texts."),
    Rule(
        "row-passage-span",
        "validate",
        "a span is empty, or lies outside its passage ({column})",
        "Rebuild; spans of a view count from the start of its passage.",
    ),
    Rule(
        "estimate-as-stated",
        "validate",
        "an estimate does not say what its claim and its quantity say ({column})",
        "Rebuild; estimates follow from claims.",
    ),
    Rule("estimand-counts", "validate", "an estimand has more or fewer estimates or pairs than it must ({column})", "Rebuild."),
    Rule(
        "pair-members",
        "validate",
        "a pair joins estimates that are no pair ({column})",
        "Both are there, of one estimand, neither is left out, and the first has the smaller id.",
    ),
    Rule("pair-relation", "validate", "a computed relation does not follow from the two numbers ({column})", "Rebuild."),
    Rule("row-article", "validate", "a row is of no article of the dataset", "Add the article, or remove the row."),
    Rule("row-reference", "validate", "a reference leads to no row ({column})", "Correct the id, or add the row."),
    Rule(
        "row-target",
        "validate",
        "a reference leads to a row of a kind that it may not ({column})",
        "x-target in the schema says which may.",
    ),
    Rule(
        "row-given",
        "validate",
        "a value is missing, or given, against the kind of the row referred to ({column})",
        "x-present in the schema says where it is given.",
    ),
    Rule(
        "row-span",
        "validate",
        "a span is empty, reversed, outside the text or overlaps the one before ({column})",
        "Count code points.",
    ),
    Rule(
        "row-surface",
        "validate",
        "a surface is not what the text has there ({column})",
        "Spans are half-open, in Unicode code points.",
    ),
    Rule(
        "row-within",
        "validate",
        "a span lies outside the one that must hold it ({column})",
        "Widen the outer span, or correct this one.",
    ),
    Rule("row-outside", "validate", "spans share characters that may not ({column})", "x-outside in the schema says which."),
    Rule("row-text", "validate", "a text is not what its sha256 and lengths say", "A changed text is a new article."),
    Rule(
        "row-version",
        "validate",
        "an article was added or changed in a version that cannot be ({column})",
        "Added up to this version, changed after it was added; null before its release.",
    ),
    Rule("row-withheld", "validate", "a row of a withheld article carries text ({column})", "Rights are kept: it is null there."),
    Rule(
        "row-nested",
        "validate",
        "an article and its nested record differ, or it has none ({column})",
        "Both are made of one record.",
    ),
    Rule(
        "row-coverage",
        "validate",
        "what is annotated is not what coverage says ({column})",
        "Correct the coverage, or the annotation.",
    ),
    Rule("row-split", "validate", "a row lies in the files of another split than its article's", "Rebuild the dataset."),
    Rule("group-one-split", "validate", "articles of one group are in different splits", "Splits never leak."),
    Rule(
        "paragraph-one-split",
        "validate",
        "a long paragraph of the article stands in an article of another split, too",
        "Give both one group; or take it out of the texts, if it is a notice that stands under many.",
        level="warning",
    ),
    Rule(
        "near-duplicate-one-split",
        "splits",
        "the text is nearly that of an article of another split",
        "Who trains on one and tests on the other sees the test beforehand: give both one group, or retract one. "
        "Where splits are given this is a warning.",
    ),
    Rule("row-count", "validate", "there are more or fewer rows than the manifest says", "Rebuild, or get the dataset again."),
    Rule(
        "label-count",
        "validate",
        "a label stands more or less often than the manifest says",
        "Rebuild, or get the dataset again.",
    ),
    Rule(
        "label-drift",
        "validate",
        "the share of a label moved by more than 3 standard deviations since the release before",
        "Look at what is new; the guideline may have been read in another way.",
        level="warning",
    ),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _RULES}


def registry(schemas: Schemas, expectations: Path | None = None) -> dict[str, Rule]:
    """All rules by id: the engine's, those that the schemas state, and those of `expectations`/rules.toml for whole tables.

    No id may stand for two rules, nor be decided in two stages; only layers that state the same law in the same hint share one.
    Raises SchemaError that names the file which breaks this.
    """
    found = dict(RULES)
    for layer in (schemas.article, *schemas.layers.values(), *schemas.tables.values()):
        for law in layer.rules:
            known = found.get(law.id)
            if known and (known.owner == "engine" or known.hint != law.hint):
                raise SchemaError(
                    f"schemas/{layer.name}.schema.json: the rule id {law.id!r} is taken by {known.owner}; choose another"
                )
            owner = f"{known.owner}, {layer.name}" if known else layer.name
            found[law.id] = Rule(law.id, "check", law.says, law.hint, law.level, owner)
    path = expectations / "rules.toml" if expectations else None
    for rule in rules_from(path.read_bytes(), "expectations/rules.toml").values() if path and path.is_file() else ():
        if rule.id in found:
            raise SchemaError(
                f"expectations/rules.toml: the rule id {rule.id!r} is taken by {found[rule.id].owner}; choose another"
            )
        found[rule.id] = rule
    return found


def decided_by_suites(expectations: Path) -> set[str]:
    """Ids of the rules that an expectation of some suite in the folder carries in its meta."""
    found: set[str] = set()
    for path in sorted([*expectations.glob("*.json"), *expectations.glob("relations/*.json")]):
        suite = json.loads(path.read_bytes())
        found |= {expectation["meta"]["rule"] for expectation in suite["expectations"]}
    return found


def rules_from(raw: bytes, file: str) -> dict[str, Rule]:
    """The rules for whole tables that a file rules.toml states, by id.

    Raises SchemaError for a file that is no such list, or states an id twice.
    """
    try:
        found: dict[str, Rule] = {}
        for r in tomllib.loads(raw.decode()).get("rules", []):
            if r["id"] in found:
                raise SchemaError(f"{file}: states the rule {r['id']!r} twice; choose another id for one of them")
            found[r["id"]] = Rule(r["id"], "validate", r["says"], r["reason"], r.get("level", "error"), r["table"])
        return found
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as fault:
        raise SchemaError(f"{file}: is no list of rules with id, table, says and reason: {fault}") from None


def problem(rule_id: str, place: Place, *, snippet: str | None = None, **values: object) -> Problem:
    """The problem that `place` breaks rule `rule_id`; `values` fill the rule's message and hint.

    Raises KeyError for a rule that is not in the registry.
    """
    rule = RULES[rule_id]
    says, hint = _short(rule.message.format(**values)), _short(rule.hint.format(**values))
    return Problem(place, rule.id, says, hint, rule.level, snippet)


def _short(text: str, most: int = 2000) -> str:
    """A message never quotes megabytes of the input."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"
