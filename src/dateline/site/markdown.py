"""Markdown that people of a project wrote, as HTML that does nothing."""

from __future__ import annotations

from markupsafe import Markup


def html_of(markdown: str) -> Markup:
    """Markdown as HTML: raw HTML in it is escaped, and links are words: they lead to files of the project, not here."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("js-default").disable(["image", "autolink"])
    blocks = reader.parse(markdown)
    for block in blocks:
        block.children = [inline for inline in block.children or () if inline.type not in ("link_open", "link_close")] or None
    return Markup(reader.renderer.render(blocks, reader.options, {}))
