"""dateline.align: the spans of a view's rows brought to the tokens of any fast tokenizer, as BIO label ids.

Shapes: T tokens of a window, L levels of a span column. All offsets are code points of the passage, half-open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dateline import __version__
from dateline.errors import AlignError
from dateline.tagging import (
    NO_TAG,
    Item,
    Place,
    Stretch,
    Tokens,
    depth,
    items_in,
    items_of,
    places,
    plain_label,
    tag_ids,
    tags,
    trimmed,
)

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict, Features, IterableDataset, IterableDatasetDict

Row = Mapping[str, Any]
Window = dict[str, Any]
_COUNTS = ("levels", "misaligned", "cut", "outside", "too_deep")


def align(
    data: Row | Dataset | DatasetDict | IterableDataset | IterableDatasetDict,
    tokenizer: Any,
    *,
    spans: Sequence[str] | None = None,
    passage: str = "passage",
    labels: Mapping[str, Sequence[str]] | None = None,
    keep: Sequence[str] = ("id",),
    max_length: int | None = None,
    stride: int = 0,
    levels: int | None = None,
    discontinuous: bool = True,
) -> Any:
    """Bring the spans of rows to the tokens of a tokenizer: one *window* per row, or several with `max_length`.

    `data` is a row (a dict), which gives a list of windows, or anything of `datasets`, which gives the same kind of thing, each
    row a window. `tokenizer` is a fast one of transformers, called as `tokenizer(texts, return_offsets_mapping=True, ...)`, or a
    `tokenizers.Tokenizer`. Truncation and padding that are set in it are not used.

    - `spans`: the span columns; by default all columns of lists of `start` and `end`.
    - `passage`: the column of the text. With "passage_a" the span columns are by default those that end in "_a".
    - `labels`: by column the labels in their order, where they are not known from the data: of a dataset they are its ClassLabel;
      of a column of plain spans one label, its name without "_spans".
    - `keep`: columns that each window repeats, those of them that there are.
    - `max_length`: the most tokens of a window, special ones counted; the next begins `stride` tokens before the end of the last.
    - `levels`: give exactly so many rows of labels; by default as many as the row needs, and one at least.
    - `discontinuous`: see `dateline.tagging`; False makes every span an item of its own, each beginning with B-.

    A window has

    - `window`: its number within the row, from 0,
    - `input_ids`, `attention_mask`, `special_tokens_mask` (T), `token_type_ids` (T) if the tokenizer gives it,
    - `offset_mapping` (T, 2), without white space at a token's edges; (0, 0) for special tokens,

    and for each span column c

    - `c_labels` (L, T): ids of `label2id`, the outermost level first; -100 for special tokens and those of no character,
    - `c_levels`: how many levels the row needs (0 if it has no span),
    - `c_misaligned`: spans shown that do not begin and end where tokens do; every token that they touch is inside,
    - `c_cut`: spans of which the window shows a part; where their beginning is missing, it begins with I-,
    - `c_outside`: spans of which it shows nothing, `c_too_deep`: spans on levels beyond `levels`.

    Raises AlignError for a tokenizer without offsets, a row without passage or with spans beyond it, and unknown labels.
    """
    if levels is not None and levels < 1:
        raise AlignError(f"levels must be 1 or more, not {levels}; without it there are as many as the row needs")
    options = _Options(passage, tuple(keep), max_length, stride, levels, discontinuous)
    if hasattr(data, "column_names"):
        if isinstance(data, Mapping):
            kind: Any = type(data)
            return kind({name: _dataset(split, tokenizer, spans, labels, options) for name, split in data.items()})
        return _dataset(data, tokenizer, spans, labels, options)
    if not isinstance(data, Mapping):
        raise AlignError(f"rows are dicts, or datasets of them; this is {type(data).__name__}")
    names = _span_columns_of_row(data, passage, labels or {}) if spans is None else tuple(spans)
    columns = {name: _labels(name, (labels or {}).get(name), data.get(name) or ()) for name in names}
    return _Aligner(_encoder(tokenizer), columns, options).windows([data])


def label2id(features: Features, column: str) -> dict[str, int]:
    """The ids that `align` gives the tags of a span column: O is 0, then B- and I- of each label in the order of its ClassLabel.

    `features` are those of the view: `view.features`. Raises AlignError if it has no such column, or does not know its labels.
    """
    return tag_ids(_labels_by_features(features, column))


def spans_in(
    labels: Sequence[int], offset_mapping: Sequence[Sequence[int]], id2label: Mapping[int, str], *, discontinuous: bool = True
) -> list[dict[str, Any]]:
    """The items that the label ids of one level (T) tell, such as a model's: `{"label": ..., "spans": [{"start", "end"}, ...]}`.

    `offset_mapping` (T, 2) is the window's. It is the way back from `align`: spans on token edges come back as they were.
    Without `discontinuous` an I- after a gap begins a new item.
    """
    row = [None if number == NO_TAG or start >= end else id2label[number]
           for number, (start, end) in zip(labels, offset_mapping, strict=True)]  # fmt: skip
    found = items_in(row, [(start, end) for start, end in offset_mapping], discontinuous=discontinuous)
    return [{"label": item.label, "spans": [{"start": s, "end": e} for s, e in item.spans]} for item in found]


# ---- one passage ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Options:
    passage: str
    keep: tuple[str, ...]
    max_length: int | None
    stride: int
    levels: int | None
    discontinuous: bool


@dataclass(frozen=True)
class _Encoded:
    """A passage in tokens, whole: special tokens before it, its own, special tokens behind it."""

    columns: Mapping[str, Sequence[int]]
    offsets: Sequence[Stretch]
    before: int
    behind: int

    @property
    def length(self) -> int:
        return len(self.offsets)

    def windows(self, options: _Options) -> Iterator[tuple[int, int]]:
        """Start and end of each window among the passage's own tokens."""
        own = self.length - self.before - self.behind
        room = own if options.max_length is None else options.max_length - self.before - self.behind
        if options.max_length is not None and (room <= options.stride or options.stride < 0):
            raise AlignError(
                f"windows of {options.max_length} tokens, {self.before + self.behind} of them special, cannot overlap by "
                f"{options.stride}; give a larger max_length, or a smaller stride (0 or more)"
            )
        start = 0
        while True:
            yield start, min(start + room, own)
            if start + room >= own:
                return
            start += room - options.stride

    def numbers(self, start: int, end: int) -> list[int]:
        """The numbers of a window's tokens among all, special ones put around them."""
        whole = range(self.length)
        return [*whole[: self.before], *whole[self.before + start : self.before + end], *whole[self.length - self.behind :]]


_Encoder = Callable[[list[str]], list[_Encoded]]


@dataclass(frozen=True)
class _Column:
    """A span column: the label of plain spans, the labels in their order, and whether a row has numbers for them."""

    name: str
    labels: tuple[str, ...]

    def items(self, row: Row, length: int, where: str, discontinuous: bool) -> list[Item]:
        """What the row's spans are about. Raises AlignError for spans beyond the passage and labels that are not known."""
        entries = []
        for entry in row.get(self.name) or ():
            if not 0 <= entry["start"] <= entry["end"] <= length:
                raise AlignError(
                    f"{where}: {self.name} has a span {entry['start']}:{entry['end']}, but its passage has {length} characters; "
                    "spans count from the start of the passage, in code points"
                )
            entries.append({**entry, "label": self._label(entry["label"], where)} if "label" in entry else entry)
        return items_of(entries, self.labels[0] if self.labels else "", discontinuous=discontinuous)

    def _label(self, label: Any, where: str) -> str:
        if isinstance(label, int) and 0 <= label < len(self.labels):
            return self.labels[label]
        if label not in self.labels:
            raise AlignError(f"{where}: {self.name} has a span labelled {label!r}; its labels are {', '.join(self.labels)}")
        return str(label)


@dataclass(frozen=True)
class _Aligner:
    """Rows to windows; also a batch of `datasets`, as a table of columns."""

    encode: _Encoder
    columns: Mapping[str, _Column]
    options: _Options
    version: str = __version__
    """`datasets` keeps what it has mapped by what is in here: a new version must not find windows of an old one."""

    def __call__(self, batch: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
        rows = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
        windows = self.windows(rows)
        return {name: [window[name] for window in windows] for name in windows[0]} if windows else {}

    def windows(self, rows: Sequence[Row]) -> list[Window]:
        """All windows of some rows."""
        texts = [self._passage(row) for row in rows]
        return [
            window
            for row, text, encoded in zip(rows, texts, self.encode(texts), strict=True)
            for window in self._of(row, text, encoded)
        ]

    def _passage(self, row: Row) -> str:
        name = self.options.passage
        if name not in row:
            others = ", ".join(n for n in row if n.startswith("passage")) or "none that is called so"
            raise AlignError(f"{_name_of(row)}: has no column {name!r} ({others}); take a view with passages, or name the column")
        if not isinstance(row[name], str):
            raise AlignError(f"{_name_of(row)}: {name} is null: its text is withheld, and there is nothing to align")
        return str(row[name])

    def _of(self, row: Row, text: str, encoded: _Encoded) -> Iterator[Window]:
        options, where = self.options, _name_of(row)
        offsets = [trimmed(text, stretch) for stretch in encoded.offsets]
        tokens = Tokens(offsets)
        tagged = {
            name: _Tagged(tokens, places(tokens, column.items(row, len(text), where, options.discontinuous)), column, options)
            for name, column in self.columns.items()
        }
        for number, (start, end) in enumerate(encoded.windows(options)):
            shown = encoded.numbers(start, end)
            window: Window = {name: row[name] for name in options.keep if name in row}
            window["window"] = number
            window |= {name: [values[n] for n in shown] for name, values in encoded.columns.items()}
            window["offset_mapping"] = [list(offsets[n]) for n in shown]
            for name, own in tagged.items():
                window |= {f"{name}_{what}": value for what, value in own.window(shown).items()}
            yield window


class _Tagged:
    """The tags of one span column over a whole passage."""

    def __init__(self, tokens: Tokens, placed: list[Place], column: _Column, options: _Options) -> None:
        self.placed = placed
        self.depth = depth(placed)
        self.levels = max(1, self.depth) if options.levels is None else options.levels
        self.spans = [
            (frozenset(numbers), bool(numbers) and not tokens.hold(span, numbers), place.level >= self.levels)
            for place in placed
            for span, numbers in zip(place.item.spans, place.tokens, strict=True)
        ]
        ids = tag_ids(column.labels)
        own = [start < end for start, end in tokens.stretches]
        rows = tags(placed, len(own), self.levels)
        self.labels = [[ids[tag] if is_own else NO_TAG for tag, is_own in zip(row, own, strict=True)] for row in rows]

    def window(self, shown: Sequence[int]) -> dict[str, Any]:
        """Labels (L, T) and counts of one window, given the numbers of its tokens."""
        here = set(shown)
        partly = [(len(numbers & here), numbers, off, deep) for numbers, off, deep in self.spans]
        return {
            "labels": [[row[n] for n in shown] for row in self.labels],
            "levels": self.depth,
            "misaligned": sum(off for n, _, off, _ in partly if n),
            "cut": sum(0 < n < len(numbers) for n, numbers, _, _ in partly),
            "outside": sum(not n for n, _, _, _ in partly),
            "too_deep": sum(deep for n, _, _, deep in partly if n),
        }


def _name_of(row: Row) -> str:
    return str(row.get("id") or "the row")


# ---- tokenizers ----------------------------------------------------------------------------------------------


def _encoder(tokenizer: Any) -> _Encoder:
    """How a tokenizer encodes whole passages. Raises AlignError if it cannot say where its tokens stand."""
    name = type(tokenizer).__name__
    if getattr(tokenizer, "is_fast", True) is False:
        raise AlignError(
            f"{name} is a slow tokenizer, which does not know where its tokens stand in the text; "
            "load the fast one (AutoTokenizer does, where there is one), or train or convert one with `tokenizers`"
        )
    if hasattr(tokenizer, "encode_batch"):
        return _Plain(_unlimited(tokenizer))
    if not callable(tokenizer):
        raise AlignError(f"{name} is no tokenizer: take a fast one of transformers, or a tokenizers.Tokenizer")
    return _Called(tokenizer)


def _unlimited(tokenizer: Any) -> Any:
    """A `tokenizers.Tokenizer` that neither truncates nor pads; the one given stays as it is."""
    if tokenizer.truncation is None and tokenizer.padding is None:
        return tokenizer
    copy = type(tokenizer).from_str(tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy


@dataclass(frozen=True)
class _Plain:
    """A `tokenizers.Tokenizer`."""

    tokenizer: Any

    def __call__(self, texts: list[str]) -> list[_Encoded]:
        return [
            _encoded({"input_ids": e.ids, "attention_mask": e.attention_mask}, e.offsets, e.special_tokens_mask)
            for e in self.tokenizer.encode_batch(texts)
        ]


@dataclass(frozen=True)
class _Called:
    """A fast tokenizer of transformers, or what is called like one."""

    tokenizer: Any

    def __call__(self, texts: list[str]) -> list[_Encoded]:
        try:
            made = self.tokenizer(
                texts, truncation=False, padding=False, verbose=False,
                return_attention_mask=True, return_special_tokens_mask=True, return_offsets_mapping=True,
            )  # fmt: skip
            offsets, special = made["offset_mapping"], made["special_tokens_mask"]
        except (NotImplementedError, KeyError) as fault:
            name = type(self.tokenizer).__name__
            raise AlignError(f"{name} does not say where its tokens stand in the text: {fault}; take a fast tokenizer") from None
        names = [n for n in ("input_ids", "attention_mask", "token_type_ids") if n in made]
        return [_encoded({n: made[n][i] for n in names}, offsets[i], special[i]) for i in range(len(texts))]


def _encoded(columns: Mapping[str, Sequence[int]], offsets: Sequence[Stretch], special: Sequence[int]) -> _Encoded:
    own = [n for n, is_special in enumerate(special) if not is_special]
    before = own[0] if own else len(special)
    behind = len(special) - 1 - own[-1] if own else 0
    stretches = [(0, 0) if is_special else (start, end) for (start, end), is_special in zip(offsets, special, strict=True)]
    return _Encoded({**columns, "special_tokens_mask": special}, stretches, before, behind)


# ---- columns and labels --------------------------------------------------------------------------------------


def _is_span(entry: Any) -> bool:
    return isinstance(entry, Mapping) and {"start", "end"} <= entry.keys()


def _span_columns_of_row(row: Row, passage: str, labels: Mapping[str, Any]) -> tuple[str, ...]:
    suffix = passage.removeprefix("passage")
    return tuple(
        name
        for name, value in row.items()
        if isinstance(value, list)
        and name.endswith(suffix)
        and (all(map(_is_span, value)) if value else "_spans" in name or name in labels)
    )


def _span_columns(features: Features, passage: str) -> tuple[str, ...]:
    suffix = passage.removeprefix("passage")
    return tuple(name for name, kind in features.items() if _is_span(getattr(kind, "feature", None)) and name.endswith(suffix))


def _labels(name: str, said: Sequence[str] | None, entries: Sequence[Mapping[str, Any]]) -> _Column:
    """The labels of a span column of a row."""
    if said is None and any("label" in entry for entry in entries):
        raise AlignError(
            f"{name}: a row does not say which labels there are, nor their order; give them, labels={{{name!r}: [...]}}: "
            f"those of a view are view.features[{name!r}].feature['label'].names"
        )
    return _Column(name, tuple(said) if said is not None else (plain_label(name),))


def _labels_by_features(features: Features, column: str) -> tuple[str, ...]:
    kind: Any = getattr(features.get(column), "feature", None)
    if not _is_span(kind):
        there = ", ".join(_span_columns(features, "")) or "none"
        raise AlignError(f"{column}: is no column of spans; there are: {there}")
    if "label" not in kind:
        return (plain_label(column),)
    names = getattr(kind["label"], "names", None)
    if names is None:
        raise AlignError(
            f"{column}: its labels are no ClassLabel, so which there are is not known; give labels={{{column!r}: [...]}}"
        )
    return tuple(names)


# ---- datasets ------------------------------------------------------------------------------------------------


def _dataset(
    data: Any, tokenizer: Any, spans: Sequence[str] | None, labels: Mapping[str, Sequence[str]] | None, options: _Options
) -> Any:
    """A Dataset or IterableDataset of windows."""
    import datasets

    features = data.features
    if features is None:
        raise AlignError("the columns of this stream are not known; give them: stream.cast(features)")
    if options.passage not in features:
        others = [n for n in features if n.startswith("passage")]
        hint = f"name one: passage={others[0]!r}" if others else "take a view with passages: layers and estimates have none"
        raise AlignError(f"there is no column {options.passage!r}; {hint}")
    names = _span_columns(features, options.passage) if spans is None else tuple(spans)
    if not names:
        raise AlignError(f"no column has spans of {options.passage!r}; there are {', '.join(features)}")
    columns = {}
    for name in names:
        own = _labels_by_features(features, name) if name not in (labels or {}) else tuple((labels or {})[name])
        columns[name] = _Column(name, own)
    aligner = _Aligner(_encoder(tokenizer), columns, options)
    made = _features(features, aligner, options)
    if isinstance(data, datasets.Dataset) and not len(data):  # map leaves an empty dataset as it is
        return datasets.Dataset.from_dict({name: [] for name in made}, features=made)
    return data.with_format(None).map(aligner, batched=True, remove_columns=list(features), features=made)


def _features(features: Features, aligner: _Aligner, options: _Options) -> Features:
    """The types of the columns of windows."""
    import datasets

    number = datasets.Value("int64")
    (probe,) = aligner.encode([""])
    made: dict[str, Any] = {name: features[name] for name in options.keep if name in features}
    made["window"] = datasets.Value("int32")
    made |= {name: datasets.List(number) for name in probe.columns}
    made["offset_mapping"] = datasets.List(datasets.List(datasets.Value("int32")))
    for name in aligner.columns:
        made[f"{name}_labels"] = datasets.List(datasets.List(number))
        made |= {f"{name}_{what}": datasets.Value("int32") for what in _COUNTS}
    return datasets.Features(made)
