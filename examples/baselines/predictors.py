"""Baselines, each a function from training rows and test rows to predictions; nothing here looks at a test row's labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lexicon import CUES, DENIED, HEDGES, POSSIBLE, PROBABLE, SCALES, TO_COME, WORDS, any_of

Row = dict[str, Any]
Texts = Callable[[Row], str]

_NUMBER = (
    r"(?P<number>\d{1,3}(?:[.,]\d{3})+|\d+(?:[.,]\d+)?|\b(?:" + "|".join(WORDS) + r")\b)"
    r"(?:\s+(?P<scale>" + "|".join(SCALES) + r")\b)?"
)
_FIGURE = re.compile(r"(?:\b(?P<hedge>" + "|".join(sorted(HEDGES, key=len, reverse=True)) + r")\s+)?" + _NUMBER, re.IGNORECASE)
_BARE = re.compile(_NUMBER, re.IGNORECASE)
_RANGE = re.compile(
    r"\b(?:between\s+)?(?P<low>\d[\d.,]*)(?:\s+(?:and|to|bis|und)\s+)(?P<high>\d[\d.,]*)(?:\s+(?P<scale>"
    + "|".join(SCALES) + r")\b)?", re.IGNORECASE
)  # fmt: skip
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_CUE = any_of(CUES)
_NAME = re.compile(r"\b(?:[A-ZÄÖÜÏ][\w'’-]*)(?:\s+(?:of|the|for)?\s*[A-ZÄÖÜÏ][\w'’-]*)*")
_QUOTED = re.compile(r"[“„\"»]([^”“\"«]+)[”“\"«]")


# ---- figures -------------------------------------------------------------------------------------------------


def no_figures(_: Sequence[Row], passage: str) -> list[Row]:
    """Nothing is a figure: what a system that finds nothing gets."""
    return []


def numbers_only(_: Sequence[Row], passage: str) -> list[Row]:
    """Every number in the text is a certain, bare figure of nobody; a control that reads no other word."""
    found = [(m, SCALES.get((m["scale"] or "").lower(), 1)) for m in _BARE.finditer(passage) if not _YEAR.fullmatch(m["number"])]
    return [_figure(m.start(), m.end(), _value(m["number"]) * scale, "BARE") for m, scale in found]


def lexicon_figures(_: Sequence[Row], passage: str) -> list[Row]:
    """Numbers with their hedges from a word list; the nearest name beside a word of saying is the source."""
    found = []
    for start, end, value, comparator, high in _numbers(passage):
        sentence = _sentence(passage, start)
        words = passage[sentence[0] : sentence[1]]
        made = _figure(start, end, value, comparator, high)
        cue = _CUE.search(words)
        if cue:
            names = [m for m in _NAME.finditer(words) if not (sentence[0] + m.start() <= start < sentence[0] + m.end())]
            if names:
                nearest = min(names, key=lambda m: min(abs(m.start() - cue.end()), abs(cue.start() - m.end())))
                made |= {"sources": [nearest.group()], "principals": [nearest.group()], "chain": [[nearest.group()]]}
        if any_of(PROBABLE).search(words):
            made["certainty"] = "PR"
        elif any_of(POSSIBLE).search(words):
            made["certainty"] = "PS"
        if value == 0:
            made["polarity"] = "NEG"
        found.append(made)
    return found


def _figure(start: int, end: int, value: float | None, comparator: str, high: float | None = None) -> Row:
    low, top = None, None
    if comparator in ("EXACT", "GE", "GT"):
        low = value
    if comparator in ("EXACT", "LE", "LT"):
        top = value
    if comparator == "RANGE":
        low, top, value = value, high, None
    return {
        "start": start, "end": end, "value": value, "low": low, "high": top, "comparator": comparator, "unit": None,
        "certainty": "CT", "polarity": "POS", "sources": [], "principals": [], "chain": [], "estimand": None,
    }  # fmt: skip


def _numbers(passage: str) -> Iterator[tuple[int, int, float, str, float | None]]:
    """Start, end, value, comparator and, of a range, its upper end."""
    taken: list[tuple[int, int]] = [m.span() for m in _YEAR.finditer(passage)]
    for m in _RANGE.finditer(passage):
        if _free(m.span(), taken):
            scale = SCALES.get((m["scale"] or "").lower(), 1)
            taken.append(m.span())
            yield m.start(), m.end(), _value(m["low"]) * scale, "RANGE", _value(m["high"]) * scale
    for m in _FIGURE.finditer(passage):
        if _free(m.span("number"), taken):
            comparator, _ = HEDGES.get((m["hedge"] or "").lower(), ("BARE", None))
            value = _value(m["number"]) * SCALES.get((m["scale"] or "").lower(), 1)
            yield m.start(), m.end(), value, "EXACT" if value == 0 else comparator, None


def _value(written: str) -> float:
    if written.lower() in WORDS:
        return float(WORDS[written.lower()])
    plain = written.strip(".,")
    if re.fullmatch(r"\d{1,3}([.,]\d{3})+", plain):
        return float(re.sub(r"[.,]", "", plain))
    return float(plain.replace(",", "."))


def _free(span: tuple[int, int], taken: list[tuple[int, int]]) -> bool:
    return all(span[1] <= start or end <= span[0] for start, end in taken)


def _sentence(passage: str, at: int) -> tuple[int, int]:
    ends = [m.end() for m in re.finditer(r"[.!?][”“\"]?\s+(?=[A-ZÄÖÜ“„])", passage)]
    start = max((e for e in ends if e <= at), default=0)
    return start, min((e for e in ends if e > at), default=len(passage))


# ---- labels: conflicts, event_factuality ---------------------------------------------------------------------


def majority(train: Sequence[tuple[Row, str]], test: Sequence[Row]) -> list[str]:
    """The label that stands most often in training, for every row."""
    counts = Counter(label for _, label in train)
    best = min(counts, key=lambda label: (-counts[label], label))
    return [best for _ in test]


def logistic(text_of: Texts) -> Callable[[Sequence[tuple[Row, str]], Sequence[Row]], list[str]]:
    """Logistic regression over words and pairs of words (tf-idf) of what `text_of` shows of a row."""

    def predict(train: Sequence[tuple[Row, str]], test: Sequence[Row]) -> list[str]:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        labels = [label for _, label in train]
        if len(set(labels)) < 2:
            return majority(train, test)
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|[\[\]]")
        model = make_pipeline(words, LogisticRegression(C=10, class_weight="balanced", max_iter=2000))
        model.fit([text_of(row) for row, _ in train], labels)
        return [str(label) for label in model.predict([text_of(row) for row in test])]

    return predict


def both_passages(row: Row) -> str:
    """Both passages of a pair, the words of each marked as its own."""
    return " ".join(f"{side}_{w}" for side in ("a", "b") for w in re.findall(r"\w+", row[f"passage_{side}"].lower()))


def second_passage(row: Row) -> str:
    """The second passage alone (hypothesis only): a model that does well on it learns how rows were chosen."""
    return str(row["passage_b"])


def numbers_of_pair(row: Row) -> str:
    """The numbers and comparators alone, no word of either passage."""
    a, b = row["value_a"], row["value_b"]
    how = "none" if a is None or b is None else "same" if a == b else "near" if abs(a - b) <= 0.1 * max(a, b) else "far"
    return f"{row['comparator_a']} {row['comparator_b']} {how} {row['comparator_a']}_{row['comparator_b']}_{how}"


def statement_only(row: Row) -> str:
    """The statement alone, not the text that it is about; a control (hypothesis only)."""
    return str(row["hypothesis"])


def numbers_of_both(row: Row) -> str:
    """The numbers of text and statement by their order and size, no word of either; a control."""
    text, said = (
        [int(n.replace(",", "")) for n in re.findall(r"\d+(?:,\d{3})*", words)] for words in (row["passage"], row["hypothesis"])
    )
    beside = [f"{'below' if n < m else 'above' if n > m else 'same'}{i}" for i, n in enumerate(text) for m in said]
    return " ".join([f"count{len(text)}", *beside, *(f"digits{len(str(n))}" for n in text)])


def statement_and_text(row: Row) -> str:
    """Text and statement, the words of each marked as its own."""
    return " ".join(f"{side}_{w}" for side in ("passage", "hypothesis") for w in re.findall(r"\w+", row[side].lower()))


def around_trigger(row: Row) -> str:
    """The sentence with the trigger in brackets, and whose view is asked for."""
    start, end = row["trigger_spans"][0]["start"], row["trigger_spans"][-1]["end"]
    text = row["passage"]
    whose = "author" if row["source_is_author"] else "source"
    return f"{whose} {text[:start]} [ {text[start:end]} ] {text[end:]} {whose}_{text[start:end]}"


def trigger_only(row: Row) -> str:
    """The trigger alone, without its sentence or source; a control."""
    return " ".join(row["passage"][s["start"] : s["end"]] for s in row["trigger_spans"])


def factuality_lexicon(_: Sequence[tuple[Row, str]], test: Sequence[Row]) -> list[str]:
    """Words of doubt, denial and the future decide; the author is uncommitted where somebody else is speaking."""
    found = []
    for row in test:
        words = row["passage"]
        if (row["source_is_author"] and _CUE.search(words)) or any_of(TO_COME).search(words):
            found.append("Uu")
        else:
            sign = "-" if any_of(DENIED).search(words) else "+"
            sure = "PR" if any_of(PROBABLE).search(words) else "PS" if any_of(POSSIBLE).search(words) else "CT"
            found.append(sure + sign)
    return found


# ---- spans: quote_attribution, ner ---------------------------------------------------------------------------


def quote_rules(row: Row) -> Row:
    """The first quotation is the content, else what stands beside the first word of saying; the nearest name is the source."""
    text = row["passage"]
    cue = _CUE.search(text)
    quote = _QUOTED.search(text)
    made: Row = {"source_spans": [], "cue_spans": [], "content_spans": [], "quote_type": "DIRECT" if quote else "INDIRECT"}
    if quote:
        made["content_spans"] = [{"start": quote.start(), "end": quote.end()}]
    if cue:
        made["cue_spans"] = [{"start": cue.start(), "end": cue.end()}]
        names = [m for m in _NAME.finditer(text) if not quote or _free(m.span(), [quote.span()])]
        if names:
            nearest = min(names, key=lambda m: min(abs(m.start() - cue.end()), abs(cue.start() - m.end())))
            made["source_spans"] = [{"start": nearest.start(), "end": nearest.end()}]
        if not quote:
            start, end = _sentence(text, cue.start())
            before, after = (start, cue.start()), (cue.end(), end)
            part = before if before[1] - before[0] > after[1] - after[0] else after
            words = text[part[0] : part[1]]
            left = part[0] + len(words) - len(words.lstrip())
            made["content_spans"] = [{"start": left, "end": part[0] + len(words.rstrip())}]
    return made


def capitals(row: Row, kind: str) -> list[Row]:
    """Every run of capitalised words is a mention of the type that stands most often in training."""
    return [{"start": m.start(), "end": m.end(), "label": kind} for m in _NAME.finditer(row["passage"])]


def gazetteer(row: Row, known: dict[str, str], kind: str) -> list[Row]:
    """As `capitals`, but names seen in training keep their type."""
    return [m | {"label": known.get(row["passage"][m["start"] : m["end"]], kind)} for m in capitals(row, kind)]
