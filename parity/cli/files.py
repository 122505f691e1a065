"""The files that `parity check` writes reports to."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from parity.errors import UsageError
from parity.files import file_name, require_writable
from parity.report import junit, markdown
from parity.report.pair import Report

FORMS = ("json", "html", "junit", "markdown")
Places = Mapping[str, str]
"""Form → file; of several pages, their folder."""


def require_places(arguments: argparse.Namespace, count: int) -> Places:
    """Form → the file to write, for each form that the command line asks for.

    Args:
        arguments: The parsed command line.
        count: Number of networks that are checked; each of several has a page in the folder that --html names.

    Raises:
        UsageError: A file cannot be written.
    """
    places = {form: path for form in FORMS if (path := getattr(arguments, form))}
    for form, path in places.items():
        if form == "html" and (count != 1 or path.endswith("/")):
            places[form] = _folder(path, count)
        else:
            require_writable(f"--{form}", path)
    return places


def _folder(path: str, count: int) -> str:
    """The path of a folder for pages, which ends in "/"."""
    place = Path(path)
    if (place.suffix and not path.endswith("/")) or place.is_file() or not place.absolute().parent.is_dir():
        raise UsageError(f"--html got {path} for {count} networks; expected a folder, which gets a page for each")
    return f"{place}/"


def write(reports: Sequence[Report], places: Places, write_json: Callable[[Sequence[Report], str], None]) -> list[str]:
    """Write reports to the files that are asked for, each whole or not at all.

    Args:
        reports: One report for each network.
        places: Form → file, as `require_places` returns it.
        write_json: Writes the JSON file, whose form differs between recipes and pairs.

    Returns:
        The files that were written.

    Raises:
        UsageError: A file cannot be written.
    """
    pages = _pages(reports, places.get("html"))
    for page, report in pages.items():
        report.to_html(page)
    if "json" in places:
        write_json(reports, places["json"])
    if "markdown" in places:
        markdown.write_all(reports, places["markdown"])
    if "junit" in places:
        junit.write(reports, places["junit"])
    return [*pages, *(places[form] for form in FORMS if form in places and form != "html")]


def _pages(reports: Sequence[Report], place: str | None) -> dict[str, Report]:
    """File → the report whose page it holds."""
    if place is None or not reports:
        return {}
    if not place.endswith("/"):
        return {place: reports[0]}
    Path(place).mkdir(exist_ok=True)
    names = [file_name(report.name) for report in reports]
    numbered = [f"{name}-{n}" if name in names[: n - 1] else name for n, name in enumerate(names, 1)]
    return {str(Path(place) / f"{name}.html"): report for name, report in zip(numbered, reports, strict=True)}


def say(written: Sequence[str], quiet: bool) -> None:
    """Say on stderr which files were written, a line each."""
    if not quiet:
        for path in written:
            print(f"written: {path}", file=sys.stderr)
