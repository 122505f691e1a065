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
        id: id of its place in the page, and stem of its drawing's file.
        title: its heading.
        text: its text, as Markdown.
        draw: function that makes its figure; None if it has none.
        label: description of the figure.
        source: digest of the record that it is made from.
    """

    id: str
    title: str
    text: str
    draw: Callable[[], Figure] | None = None
    label: str = ""
    source: str = ""


def page(title: str, sections: Sequence[Section]) -> str:
    """The text of the HTML file, in which text from a record is escaped."""
    style = part("page.css") + (HERE / "page.css").read_text(encoding="utf-8")
    script = part("page_theme.js")
    contents = "".join(f'<a href="#{section.id}">{html.escape(section.title)}</a>' for section in sections)
    main = "\n".join([f"<h1>{html.escape(title)}</h1>", *map(_section, sections)])
    return framed(title, style=style, script=script, main=main, contents=contents)


def _section(section: Section) -> str:
    title, drawn = html.escape(section.title), ""
    if section.draw is not None:
        element = drawing.inline(section.draw(), section.id, section.label, section.source)
        drawn = f'<div class="drawing" role="region" tabindex="0" aria-label="{title}: drawing">{element}</div>'
    head = f'<h2 id="{section.id}-title">{title}</h2>'
    body = f"{head}\n{drawn}\n{_html(section.text, title)}"
    return f'<section id="{section.id}" aria-labelledby="{section.id}-title">\n{body}</section>'


def _html(text: str, title: str) -> str:
    """Markdown as elements without inline style; a wide table scrolls by itself, also by keyboard."""
    markup = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    markup = re.sub(r' style="text-align:(\w+)"', r' class="\1"', markup)
    opening = f'<div class="scroll" role="region" tabindex="0" aria-label="{title}: table"><table>'
    return markup.replace("<table>", opening).replace("</table>", "</table></div>")


def without_drawings(text: str) -> str:
    """A page without the insides of its drawings, which depend on the version of the library that drew them.

    The opening tag of a drawing, with its label and source, stays.
    """
    return re.sub(r"(<svg[^>]*>).*?</svg>", r"\1</svg>", text, flags=re.DOTALL)
