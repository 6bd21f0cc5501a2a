"""CoNLL-U with entities in its last column (Universal Dependencies' "CoNLL-U format"; Entity of CorefUD and Universal Anaphora).

The ten columns are split here: the library `conllu` gives no line numbers, and of comments and keys that stand twice only the
last, so that what it drops could not be told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dateline.document import Document, Node, Refused, Stretch
from dateline.errors import InputError, Place
from dateline.incoming import MAX_FILE, Incoming

NAME = "conllu"
TITLE = "CoNLL-U, entities as in GUM and CorefUD, or as BIO tags"
SUFFIXES = (".conllu",)
OPTIONS = {"tokens": False, "ner": "NER"}  # whether tokens and sentences become nodes, too; the key of BIO tags

_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_ID = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9})|\.([0-9]{1,9}))?")
_NEWDOC = re.compile(rb"#\s*newdoc\b")
_CHUNK = re.compile(r"\([^()]+\)?|[^()]+\)")
_PART = re.compile(r"(.+)\[([0-9]{1,4})/([0-9]{1,4})\]", re.DOTALL)
_LONGEST = 300  # of a reason, which may quote an id that is longer than any
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"s": " ", "t": "\t", "n": "\n", "r": "\r", "p": "|", "\\": "\\"}
_WITHOUT_HEADER = ("eid", "etype", "head", "other")


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """Yield a document for each `# newdoc`, or for each file without one; Refused for one whose text cannot be rebuilt."""
    names: set[str] = set()
    for file in incoming.named(*SUFFIXES):
        header: tuple[str, ...] = _WITHOUT_HEADER
        stem = file.rpartition(".")[0]
        for number, lines in enumerate(_documents(incoming, file), 1):
            maker = _Maker(incoming, file, header)
            unnamed = stem if number == 1 else f"{stem}-{number}"
            try:
                made = maker.document(lines, unnamed)
                if made.name in names:
                    raise _Wrong(made.place, f"is a second document {made.name}")
                names.add(made.name)
                yield made
            except _Wrong as fault:
                yield Refused(fault.place, "document", str(fault), maker.name or unnamed)
            except InputError as fault:
                yield Refused(incoming.place(file), "document", str(fault), maker.name or unnamed)
            header = maker.header


def looks_like(incoming: Incoming) -> float:
    """Sure where the first line that is no comment has ten columns."""
    for file in incoming.named(*SUFFIXES):
        for _, raw in incoming.lines(file):
            if raw.strip() and not raw.startswith(b"#"):
                return float(raw.count(b"\t") == len(_COLUMNS) - 1)
    return 0.0


Lines = list[tuple[int, bytes]]


def _documents(incoming: Incoming, file: str) -> Iterator[Lines]:
    """The lines of each document of a file. `# newdoc` stands among the comments of a document's first sentence."""
    document: Lines = []
    size = 0
    for sentence in _sentences(incoming, file):
        if document and any(_NEWDOC.match(raw) for _, raw in sentence):
            yield document
            document, size = [], 0
        document += [*sentence, (0, b"")]
        size += sum(len(raw) for _, raw in sentence)
        if size > MAX_FILE:
            where = incoming.place(file, sentence[0][0])
            raise InputError(f"{where}: a document is longer than {MAX_FILE // 2**20} MiB; split it")
    if document:
        yield document


def _sentences(incoming: Incoming, file: str) -> Iterator[Lines]:
    sentence: Lines = []
    for number, raw in incoming.lines(file):
        if raw.strip():
            sentence.append((number, raw))
        elif sentence:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


# ---- tokens ----------------------------------------------------------------------------------------------------


class _Wrong(Exception):
    """Why something cannot be read, and where it stands."""

    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(reason)
        self.place = place


@dataclass(slots=True)
class _Token:
    """A line of ten columns: a word, a multiword token (`last` is its last word), or an empty node."""

    place: Place
    columns: list[str]
    number: int
    last: int
    empty: bool
    misc: dict[str, list[str]]
    span: Stretch = (0, 0)
    shared: bool = False  # whether its span is that of a multiword token that has other words, too

    @property
    def form(self) -> str:
        return self.columns[1]

    @property
    def has_words(self) -> bool:
        return self.last > self.number

    @property
    def joined(self) -> bool:
        """Whether no space follows."""
        return self.says("SpaceAfter") == "No"

    def says(self, key: str) -> str | None:
        """The value of a key of the last column; raises _Wrong if it stands twice."""
        values = self.misc.get(key)
        if values is None:
            return None
        if len(values) > 1:
            raise _Wrong(self.place, f"{key} stands twice")
        return values[0]


@dataclass(slots=True)
class _Sentence:
    place: Place
    comments: dict[str, list[str | None]] = field(default_factory=dict)
    tokens: list[_Token] = field(default_factory=list)
    last: int = 0  # the number of the last word

    def written(self) -> list[_Token]:
        """The tokens that the text is made of: multiword tokens instead of their words, no empty nodes."""
        found, until = [], 0
        for token in self.tokens:
            if not token.empty and token.number > until:
                found.append(token)
                until = token.last
        return found

    def add(self, token: _Token) -> None:
        if token.number != self.last + (not token.empty) or (token.has_words and self.tokens and self.tokens[-1].has_words):
            raise _Wrong(token.place, f"token {token.columns[0]} stands after token {self.last}")
        self.tokens.append(token)
        if not token.has_words:
            self.last = token.number


def _token(place: Place, line: str) -> _Token:
    columns = line.split("\t")
    if len(columns) != len(_COLUMNS):
        raise _Wrong(place, f"expected {len(_COLUMNS)} columns with tabs between them, but there are {len(columns)}")
    match = _ID.fullmatch(columns[0])
    if not match or (match[2] and int(match[2]) <= int(match[1])):
        raise _Wrong(place, "expected a token's number, a range of numbers, or the number of an empty node in the first column")
    misc: dict[str, list[str]] = {}
    for pair in columns[9].split("|") if columns[9] != "_" else ():
        key, _, value = pair.partition("=")
        misc.setdefault(key, []).append(value)
    number = int(match[1])
    token = _Token(place, columns, number, int(match[2] or number), match[3] is not None, misc)
    if not token.empty and not token.form.strip():
        raise _Wrong(place, "has no form")
    return token


def _comment(line: str) -> tuple[str, str | None]:
    key, equals, value = line[1:].partition("=")
    return key.strip(), value.removeprefix(" ") if equals else None


def _unescaped(spaces: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0]), spaces)


def _gaps(text: str, tokens: list[_Token], place: Place) -> list[str]:
    """The white space of a sentence's `# text` after each token."""
    at, gaps = 0, []
    text = text.strip()
    for token in tokens:
        if not text.startswith(token.form, at):
            raise _Wrong(place, f"its `# text` is not the text of its tokens: token {token.columns[0]} is not found in its place")
        at += len(token.form)
        end = at
        while end < len(text) and text[end].isspace():
            end += 1
        gaps.append(text[at:end])
        at = end
    if at < len(text):
        raise _Wrong(place, "its `# text` is not the text of its tokens: it goes on after the last one")
    for token, gap in zip(tokens[:-1], gaps[:-1], strict=True):
        if "SpacesAfter" not in token.misc and (gap == "") != token.joined:
            raise _Wrong(token.place, "SpaceAfter and `# text` do not agree about the space after this token")
    return gaps


# ---- documents -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Mention:
    """A mention on its way: which words it covers so far, by their number in the document, and how many parts it has."""

    node: Node
    begins: int
    part: int
    parts: int
    pieces: list[tuple[int, int]] = field(default_factory=list)


class _Maker:
    """Makes one document; `header` are the fields of Entity, which hold until a file says otherwise."""

    def __init__(self, incoming: Incoming, file: str, header: tuple[str, ...]) -> None:
        self.incoming = incoming
        self.file = file
        self.header = header
        self.name = ""
        self.sentences: list[_Sentence] = []
        self.nodes: dict[str, Node] = {}
        self.refused: list[Refused] = []
        self.words: list[_Token] = []
        self._open: dict[str, list[_Mention]] = {}
        self._waiting: dict[tuple[str, int, int], list[_Mention]] = {}  # for their next part
        self._mentions: dict[str, list[_Mention]] = {}
        self._links: list[tuple[Place, str, str, str, list[str]]] = []
        self._tags = 0

    def document(self, lines: Lines, name: str) -> Document:
        """The document of these lines; raises _Wrong where its text cannot be rebuilt."""
        metadata = self._read(lines)
        self.name = self.name or name
        text = self._lay_out()
        for number, sentence in enumerate(self.sentences, 1):
            if self.incoming.options["tokens"]:
                self._keep_tokens(sentence, number)
            self._tagged(sentence)
            for token in sentence.tokens:
                self._entities(token)
        self._finish()
        segments = [(w[0].span[0], w[-1].span[1]) for s in self.sentences if (w := s.written())]
        nodes = list(self.nodes.values())
        place = self.sentences[0].place if self.sentences else self.incoming.place(self.file)
        return Document(self.name, text, nodes, metadata, segments, self.refused, place)

    def _read(self, lines: Lines) -> dict[str, Any]:
        said: dict[str, list[str | None]] = {}
        sentence = None
        path = self.incoming.place(self.file).file
        for number, raw in lines:
            if not raw:
                sentence = None
                continue
            place = Place(path, number)
            line = self.incoming.decoded(raw, self.file, number)
            if sentence is None:
                sentence = _Sentence(place)
                self.sentences.append(sentence)
            if not line.startswith("#"):
                sentence.add(_token(place, line))
                continue
            key, value = _comment(line)
            if key == "newdoc id" and value and value.strip():
                self.name = value.strip()
            elif key == "global.Entity" and value:
                self.header = tuple(value.strip().split("-"))
                said[key] = [value]
            elif key.startswith("meta::"):
                said.setdefault(key.removeprefix("meta::"), []).append(value)
            else:
                sentence.comments.setdefault(key, []).append(value)
        for one in self.sentences:
            until = max((token.last for token in one.tokens), default=0)
            if until and until != one.last:
                raise _Wrong(one.tokens[-1].place, f"a multiword token ends with word {until}, which is not there")
        return {key: values[0] if len(values) == 1 else values for key, values in said.items()}

    def _lay_out(self) -> str:
        """The text; each token gets its place in it."""
        pieces: list[str] = []
        at = 0
        after = ""  # what stands after the last token, if a paragraph does not end there
        explicit = False
        for sentence in self.sentences:
            tokens = sentence.written()
            if not tokens:
                continue
            text = next((v for v in sentence.comments.get("text", ()) if v is not None), None)
            gaps = _gaps(text, tokens, sentence.place) if text is not None else None
            before = _unescaped(tokens[0].says("SpacesBefore") or "")
            paragraph = pieces and not explicit and any(key.split(" ")[0] == "newpar" for key in sentence.comments)
            for piece in ("\n\n" if paragraph else after, before):
                pieces.append(piece)
                at += len(piece)
            for number, token in enumerate(tokens):
                spaces = token.says("SpacesInToken")
                form = token.form if spaces is None else _unescaped(spaces)
                token.span = (at, at + len(form))
                spaces = token.says("SpacesAfter")
                explicit = spaces is not None
                if spaces is not None:
                    after = _unescaped(spaces)
                elif gaps is not None and number < len(tokens) - 1:
                    after = gaps[number]
                else:
                    after = "" if token.joined else " "
                last = number == len(tokens) - 1
                pieces += [form] if last else [form, after]
                at = token.span[1] + (0 if last else len(after))
            _place_words(sentence)
        if explicit:
            pieces.append(after)  # what the source says of the end of the text
        return "".join(pieces)

    def _add(self, node: Node) -> bool:
        """Keep a node; one whose id is taken is refused, which no real file comes to."""
        if node.id in self.nodes:
            self._refuse(node.place, node.type, "its id is another annotation's", node.id)
            return False
        self.nodes[node.id] = node
        return True

    def _refuse(self, place: Place, type: str, reason: str, id: str = "") -> None:
        self.refused.append(Refused(place, type, reason[:_LONGEST], id))

    # ---- tokens and sentences as nodes

    def _keep_tokens(self, sentence: _Sentence, number: int) -> None:
        written = sentence.written()
        spans = ((written[0].span[0], written[-1].span[1]),) if written else ()
        comments = {key: values[0] if len(values) == 1 else list(values) for key, values in sentence.comments.items()}
        self._add(Node(f"s{number}", "Sentence", spans, comments, place=sentence.place))
        ids = {str(token.number) for token in sentence.tokens if not token.empty}
        for token in sentence.tokens:
            features: dict[str, Any] = {
                name: None if value == "_" else value for name, value in zip(_COLUMNS[2:], token.columns[2:], strict=True)
            }
            features = {"form": token.form, **features}
            head = features.pop("head")
            roles = {}
            if head not in (None, "0"):
                if head not in ids:
                    self._refuse(token.place, "Token", f"its head {head} is not in its sentence", token.columns[0])
                    continue
                roles["head"] = [f"t{number}.{head}"]
            id = f"t{number}.{token.columns[0]}"
            self._add(Node(id, "Token", () if token.empty else (token.span,), features, roles, place=token.place))

    # ---- BIO tags

    def _tagged(self, sentence: _Sentence) -> None:
        key = self.incoming.options["ner"]
        running: Node | None = None
        for token in sentence.tokens:
            if token.empty or key not in token.misc:
                running = None if not token.empty and not token.has_words else running
                continue
            how, _, label = token.misc[key][0].partition("-")
            if how in ("B", "I", "E", "L", "S", "U") and label and len(token.misc[key]) == 1:
                if running is not None and how in ("I", "E", "L") and running.features["label"] == label:
                    running.spans = ((running.spans[0][0], token.span[1]),)
                else:
                    self._tags += 1
                    running = Node(f"{key}-{self._tags}", key, (token.span,), {"label": label}, place=token.place)
                    self._add(running)
                running = None if how in ("E", "L", "S", "U") else running
            else:
                running = None
                if how not in ("O", "_", "") or label:
                    self._refuse(token.place, key, "expected one tag: O, or B-, I-, E-, L-, S- or U- with a label")

    # ---- entities

    def _entities(self, token: _Token) -> None:
        before = len(self.words)
        if not token.empty and not token.has_words:
            self.words.append(token)
        if not token.misc:
            return
        try:
            entity = token.says("Entity")
            links = [(key, token.says(key)) for key in ("Bridge", "SplitAnte")]
        except _Wrong as fault:
            self._refuse(fault.place, "Entity", str(fault))
            return
        if entity is not None:
            at = 0
            while chunk := _CHUNK.match(entity, at):
                at = chunk.end()
                self._chunk(token, chunk[0], before)
            if at != len(entity) or not entity:
                self._refuse(token.place, "Entity", "brackets are not in order: expected (ID-..., (ID-...) or ID)")
        for key, value in links:
            if value is not None:
                self._link(token.place, key, value)

    def _chunk(self, token: _Token, chunk: str, before: int) -> None:
        """One bracket: it opens a mention, or a further part of one, or closes it, or both."""
        opens, closes = chunk.startswith("("), chunk.endswith(")")
        inner = chunk.strip("()")
        try:
            if token.has_words:
                raise _Wrong(token.place, "a mention begins or ends at the words of a multiword token, not at the token")
            if opens:
                values = inner.split("-")
                said = dict(zip(self.header, values[: len(self.header) - 1], strict=False))
                if len(values) >= len(self.header):  # a hyphen in the last field
                    said[self.header[-1]] = "-".join(values[len(self.header) - 1 :])
                id = said.pop("eid", None) or said.pop("GRP", None)
                if not id:
                    raise _Wrong(token.place, f"no eid or GRP among the fields {'-'.join(self.header)}")
                inner = id
                self._begin(token, id, {key: value or None for key, value in said.items()}, before)
            if closes:
                self._end(token, inner)
        except _Wrong as fault:
            self._refuse(fault.place, "Entity", str(fault), inner)

    def _begin(self, token: _Token, id: str, said: dict[str, str | None], before: int) -> None:
        entity, part, parts = _parts(id)
        mentions = self._mentions.setdefault(entity, [])
        if part > 1:
            waiting = self._waiting.get((entity, part - 1, parts))
            if not waiting or any(waiting[-1].node.features.get(key, value) != value for key, value in said.items()):
                raise _Wrong(token.place, f"part {part} of {parts} does not go on from a part {part - 1} that says the same")
            mention = waiting.pop()
            mention.node.features.update(said)
            mention.begins, mention.part = before, part
        else:
            node = Node(f"{entity}-{len(mentions) + 1}", "Entity", (), dict(said), {"cluster": [entity]}, place=token.place)
            mention = _Mention(node, before, part, parts)
            mentions.append(mention)
        self._open.setdefault(entity, []).append(mention)

    def _end(self, token: _Token, id: str) -> None:
        entity, part, parts = _parts(id)
        opened = self._open.get(entity, [])
        if not opened:
            raise _Wrong(token.place, f"closes {entity}, which is not open")
        mention = opened[-1]
        if (mention.part, mention.parts) != (part, parts):
            raise _Wrong(token.place, f"closes part {part} of {entity}, but part {mention.part} of {mention.parts} is open")
        opened.pop()
        mention.pieces.append((mention.begins, len(self.words)))
        if part < parts:
            self._waiting.setdefault((entity, part, parts), []).append(mention)

    def _link(self, place: Place, key: str, value: str) -> None:
        """Bridge=3<7,4<8:subset and SplitAnte=3<7,4<7: the earlier entity, and the one of the mention that begins here."""
        links: dict[tuple[str, str], list[str]] = {}
        for link in value.split(","):
            earlier, arrow, later = link.partition("<")
            entity, _, relation = later.partition(":")
            mentions = self._mentions.get(entity)
            if not arrow or not earlier or not mentions:
                self._refuse(place, key, "expected EARLIER<LATER, the later one with a mention up to here", link)
            elif key == "SplitAnte":
                links.setdefault((mentions[-1].node.id, relation), []).append(earlier)
            else:
                self._links.append((place, key, mentions[-1].node.id, relation, [earlier]))
        self._links += [(place, key, later, relation, found) for (later, relation), found in links.items()]

    def _finish(self) -> None:
        """Mentions that are complete become nodes, with a node for each entity; then the links between them."""
        clusters: dict[str, Node] = {}
        for entity, mentions in self._mentions.items():
            open = {id(m) for m in self._open.get(entity, ())}
            for mention in mentions:
                if id(mention) in open or mention.part != mention.parts:
                    self._refuse(mention.node.place, "Entity", f"{entity} is opened here, but never closed", mention.node.id)
                    continue
                self._anchor(mention)
                if self._add(mention.node) and entity not in clusters:
                    clusters[entity] = Node(entity, "Cluster", place=mention.node.place)
        clusters = {entity: node for entity, node in clusters.items() if self._add(node)}
        for place, key, later, relation, earlier in self._links:
            missing = [one for one in earlier if one not in clusters]
            node = Node(f"{'+'.join(earlier)}<{later}", key, place=place)
            node.roles = {"antecedent": earlier, "anaphor": [later]}
            node.features = {"relation": relation} if relation else {}
            if missing or later not in self.nodes:
                self._refuse(place, key, f"no entity {missing[0]}" if missing else f"{later} could not be read", node.id)
            else:
                self._add(node)

    def _anchor(self, mention: _Mention) -> None:
        spans: list[Stretch] = []
        for first, last in mention.pieces:
            if first < last:
                spans.append((self.words[first].span[0], self.words[last - 1].span[1]))
                if _cuts(self.words, first, last):
                    mention.node.features["inside_token"] = True
        mention.node.spans = tuple(sorted(spans))


def _place_words(sentence: _Sentence) -> None:
    """Words that spell their multiword token stand in it one after the other; of others each has the whole token for place."""
    inside: list[_Token] = []
    whole: _Token | None = None
    for token in sentence.tokens:
        if token.has_words:
            whole, inside = token, []
        elif whole is not None and not token.empty and token.number <= whole.last:
            inside.append(token)
            if token.number == whole.last:
                at, end = whole.span
                spelled = "".join(t.form for t in inside) == whole.form and end - at == len(whole.form)
                for word in inside:
                    word.span = (at, at + len(word.form)) if spelled else whole.span
                    word.shared = not spelled
                    at += len(word.form) if spelled else 0


def _cuts(words: list[_Token], first: int, last: int) -> bool:
    """Whether a mention begins or ends inside a token whose words have no places of their own."""
    begins = first > 0 and words[first].shared and words[first - 1].span == words[first].span
    ends = last < len(words) and words[last - 1].shared and words[last].span == words[last - 1].span
    return begins or ends


def _parts(id: str) -> tuple[str, int, int]:
    """e7[2/3] is the second of three parts of a mention of e7."""
    match = _PART.fullmatch(id)
    return (match[1], int(match[2]), int(match[3])) if match else (id, 1, 1)
