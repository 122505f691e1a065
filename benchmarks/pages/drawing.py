"""Drawings for pages: a figure as an SVG file, and as an element that a page with a strict policy may hold."""

from io import BytesIO
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.figure import Figure

from parity.report.style import OPTIONS

SVG, LINK = "http://www.w3.org/2000/svg", "{http://www.w3.org/1999/xlink}href"
OF_PAGE = {"#000000": "currentColor", "#ffffff": "none"}
"""Colours of a drawing → those in a page: black takes that of the page's text, and white none, for a dark page."""


def file(figure: Figure, source: str) -> str:
    """The text of an SVG file with the figure on white.

    Args:
        figure: the figure.
        source: description of the record that it was drawn from, which is kept in the file.
    """
    return _svg(figure, "white", {"Date": None, "Source": source})


def inline(figure: Figure, name: str, label: str, source: str) -> str:
    """The figure as an SVG element without a background, inline style or link; its text is in the page's font.

    Args:
        figure: the figure.
        name: prefix of its ids, which must be unique in the page.
        label: description of the figure for readers who do not see it.
        source: description of the record that it was drawn from, which is kept in the element.
    """
    root = ElementTree.fromstring(_svg(figure, "none", {"Date": None}))
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
        element.attrib = _attributes(element.attrib, name)
    size = root.attrib["viewBox"]
    root.attrib = {"viewBox": size, "role": "img", "aria-label": label, "data-source": source}
    root.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt"}  # what the style that was removed said
    root.attrib |= {"fill": OF_PAGE["#000000"]}  # for what has no fill of its own, which would be black
    return ElementTree.tostring(root, encoding="unicode")


def _svg(figure: Figure, background: str, metadata: dict[str, str | None]) -> str:
    content = BytesIO()
    with mpl.rc_context(OPTIONS):
        figure.savefig(content, format="svg", facecolor=background, metadata=metadata)
    return content.getvalue().decode()


def _attributes(attributes: dict[str, str], name: str) -> dict[str, str]:
    """The attributes without a style, a namespace, or an id that another drawing may have."""
    kept: dict[str, str] = {}
    for key, value in attributes.items():
        if key == "style":
            kept |= _presentation(value)
        elif key == LINK:
            kept["href"] = value.replace("#", f"#{name}-")
        else:
            kept[key] = f"{name}-{value}" if key == "id" else value.replace("url(#", f"url(#{name}-")
    return {key: OF_PAGE.get(value, value) for key, value in kept.items()}


def _presentation(style: str) -> dict[str, str]:
    """The declarations of a style as attributes, without the font's family, which is the page's."""
    declarations = dict(part.strip().split(": ", 1) for part in style.split(";") if part.strip())
    return {key: value for key, value in declarations.items() if key != "font-family"}
