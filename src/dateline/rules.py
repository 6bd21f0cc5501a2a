"""The registry of all that can be wrong with the input: one rule, one id, one message.

A message is a `str.format` template; `problem` fills it. Rules of stage "check" are decided from one record
(and the corpus-level tables it refers to), rules of stage "plan" from all records together.
"""

from __future__ import annotations

from dataclasses import dataclass

from dateline.errors import Place, Problem


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong: its id, the stage that decides it, level, message template and hint."""

    id: str
    stage: str
    message: str
    hint: str
    level: str = "error"


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
    Rule("bad-value", "check", "{says}", "See the field in the layer's schema."),
    Rule(
        "number-precision",
        "check",
        "is {found}, but the column keeps {digits} digits, {scale} of them behind the point",
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
    # all records together
    Rule(
        "duplicate-article", "plan", "article {found!r} stands at {other} already", "Remove one, or give it another article_id."
    ),
    Rule("supersedes", "plan", "supersedes {found!r}, which is not in the corpus", "Correct the id."),
    Rule(
        "split-given",
        "plan",
        'has no split, but splits.mode is "given"',
        'Give every record a split, or use splits.mode = "computed".',
    ),
    # import
    Rule("import-syntax", "import", "{fault}", "docs/authoring.md describes the format."),
    Rule("words-not-found", "import", "{words!r} {fault}", "{advice}"),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _RULES}


def problem(rule_id: str, place: Place, *, snippet: str | None = None, **values: object) -> Problem:
    """The problem that `place` breaks rule `rule_id`; `values` fill the rule's message and hint.

    Raises KeyError for a rule that is not in the registry.
    """
    rule = RULES[rule_id]
    return Problem(place, rule.id, rule.message.format(**values), rule.hint.format(**values), rule.level, snippet)
