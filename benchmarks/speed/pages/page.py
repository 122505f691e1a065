"""The report as one HTML file that needs nothing else, from the same Markdown and figures as the other pages."""

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from matplotlib.figure import Figure

from benchmarks.pages import drawing
from parity.report.html import framed, part

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Args:
        id: of its place in the page, and the name of its drawing's file.
        title: its heading.
        text: Markdown.
        draw: makes its figure, None if it has none.
        label: what the figure shows.
        source: digest of the file that it is made from.
    """

    id: str
    title: str
    text: str
    draw: Callable[[], Figure] | None = None
    label: str = ""
    source: str = ""


def page(title: str, sections: Sequence[Section]) -> str:
    """The file. Text of a record is escaped."""
    style = part("page.css") + (HERE / "page.css").read_text(encoding="utf-8")
    script = part("page_theme.js")
    contents = "".join(f'<a href="#{one.id}">{html.escape(one.title)}</a>' for one in sections)
    main = "\n".join([f"<h1>{html.escape(title)}</h1>", *map(_section, sections)])
    return framed(title, style=style, script=script, main=main, contents=contents)


def _section(found: Section) -> str:
    title, drawn = html.escape(found.title), ""
    if found.draw is not None:
        made = drawing.inline(found.draw(), found.id, found.label, found.source)
        drawn = f'<div class="drawing" role="region" tabindex="0" aria-label="{title}: drawing">{made}</div>'
    head = f'<h2 id="{found.id}-title">{title}</h2>'
    body = f"{head}\n{drawn}\n{_html(found.text, title)}"
    return f'<section id="{found.id}" aria-labelledby="{found.id}-title">\n{body}</section>'


def _html(text: str, title: str) -> str:
    """Markdown as elements without inline style; a wide table scrolls by itself, also by keyboard."""
    made = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    made = re.sub(r' style="text-align:(\w+)"', r' class="\1"', made)
    opening = f'<div class="scroll" role="region" tabindex="0" aria-label="{title}: table"><table>'
    return made.replace("<table>", opening).replace("</table>", "</table></div>")


def without_drawings(text: str) -> str:
    """A file but for the lines of its drawings, which depend on the version that drew them: what is drawn, and from
    what, stays."""
    return re.sub(r"(<svg[^>]*>).*?</svg>", r"\1</svg>", text, flags=re.DOTALL)
