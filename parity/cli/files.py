"""The files that `parity check` writes reports to."""

import argparse
from collections.abc import Callable, Mapping, Sequence

from parity.errors import UsageError
from parity.files import require_writable
from parity.report import junit
from parity.report.pair import Report

ONE_REPORT = ("html", "markdown")
"""Forms whose files hold one report each."""
Places = Mapping[str, str]
"""Form → file."""


def require_places(arguments: argparse.Namespace, count: int, *, single: Sequence[str] = ONE_REPORT) -> Places:
    """Form → the file to write, for each form that the command line asks for.

    Args:
        arguments: the parsed command line.
        count: number of networks that are checked.
        single: forms whose files hold one report each.

    Raises:
        UsageError: a file cannot be written, or a form of one report is asked for with several networks.
    """
    places = {form: getattr(arguments, form) for form in ("json", "html", "junit", "markdown")}
    places = {form: path for form, path in places.items() if path}
    for form, path in places.items():
        require_writable(f"--{form}", path)
        if form in single and count != 1:
            raise UsageError(f"--{form} got {count} networks and holds one report; name one network")
    return places


def write(reports: Sequence[Report], places: Places, write_json: Callable[[Sequence[Report], str], None]) -> None:
    """Write reports to the files that are asked for, each whole or not at all.

    Args:
        reports: one report for each network.
        places: form → file, as `require_places` returns it.
        write_json: writes the JSON file, whose form differs between recipes and pairs.

    Raises:
        UsageError: a file cannot be written.
    """
    if "json" in places:
        write_json(reports, places["json"])
    if "html" in places:
        reports[0].to_html(places["html"])
    if "markdown" in places:
        reports[0].to_markdown(places["markdown"])
    if "junit" in places:
        junit.write(reports, places["junit"])
