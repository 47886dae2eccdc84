"""What an officer wrote, as HTML that is safe on a public page, and the address made of a title."""

import re
from functools import cache

import nh3
from markdown_it import MarkdownIt

from broadcast.models.text import fold

SLUG_LENGTH = 100

# No pictures and no raw HTML: a page for citizens loads nothing from another host and runs nobody's script.
_BLOCKS = ("p", "hr", "ul", "ol", "li", "blockquote", "pre", "table", "thead", "tbody", "tr", "th", "td")
_TAGS = frozenset((*_BLOCKS, "h2", "h3", "h4", "h5", "h6", "br", "strong", "em", "s", "a", "code"))
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})


@cache
def _markdown() -> MarkdownIt:
    # `breaks`: most officers paste plain paragraphs and mean the line ends they see.
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


def to_html(body: str) -> str:
    """Markdown or plain paragraphs as sanitised HTML. The page's title is its only h1, so headings move one down."""
    tokens = _markdown().parse(body.replace("\x00", ""))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    rendered = _markdown().renderer.render(tokens, _markdown().options, {})
    return nh3.clean(
        rendered,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        url_schemes=set(_SCHEMES),
        link_rel="nofollow noopener",
    ).strip()


def to_text(html: str) -> str:
    """The words of sanitised HTML on one line, for descriptions."""
    bare = nh3.clean(re.sub(r"</(p|h\d|li|td|th|blockquote)>|<br ?/?>", " ", html), tags=set())
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")):
        bare = bare.replace(entity, char)
    return " ".join(bare.split())


def slug(title: str) -> str:
    """`Lũ sông Thương` -> `lu-song-thuong`; a title without letters becomes `tin`."""
    words = re.sub(r"[^a-z0-9]+", "-", fold(title)).strip("-")
    if len(words) > SLUG_LENGTH:
        words = words[: SLUG_LENGTH + 1].rpartition("-")[0] or words[:SLUG_LENGTH]
    return words or "tin"
