"""CAT documents for tests: tokens by their words, markables and relations as they are written."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr


def cat(sentences: list[str], markables: str = "", relations: str = "", **attributes: str) -> str:
    """A document of these sentences; token ids count from 1."""
    tokens, number = [], 0
    for at, sentence in enumerate(sentences):
        for word in sentence.split():
            number += 1
            tokens.append(f'<token number="{number - 1}" sentence="{at}" t_id="{number}">{escape(word)}</token>')
    head = "".join(f" {name}={quoteattr(value)}" for name, value in {"doc_id": "d1", **attributes}.items())
    return (
        f'<?xml version="1.0"?><Document{head}>\n' + "\n".join(tokens) + f"\n<Markables>\n{markables}\n</Markables>\n"
        f"<Relations>\n{relations}\n</Relations>\n</Document>\n"
    )


def markable(kind: str, key: str, /, *tokens: int, **attributes: str) -> str:
    """A markable anchored at tokens."""
    says = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f'<{kind} m_id="{key}"{says}>' + "".join(f'<token_anchor t_id="{t}"/>' for t in tokens) + f"</{kind}>"


def relation(kind: str, key: str, source: str, target: str, /, **attributes: str) -> str:
    """A relation between two markables."""
    says = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f'<{kind} r_id="{key}"{says}><source m_id="{source}"/><target m_id="{target}"/></{kind}>'


def written(folder: Path, name: str, document: str) -> Path:
    """The document in a file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document, encoding="utf-8")
    return path
