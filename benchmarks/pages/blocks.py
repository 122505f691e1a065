"""Parts of a page that are written from a record: what stands between `<!-- NAME -->` and `<!-- /NAME -->`."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from parity.files import write_atomically


def filled(text: str, blocks: Mapping[str, str]) -> str:
    """The page with its blocks made anew."""
    for name, made in blocks.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        block = f"{start}\n{made.strip()}\n{end}"
        text = re.sub(f"{start}.*?{end}", lambda _, block=block: block, text, flags=re.DOTALL)  # type: ignore[misc] # block is a default
    return text


def beside(title: str, source: str, command: str, *parts: str) -> str:
    """A whole file of tables that lies beside its record.

    Args:
        title: heading of the file.
        source: name of the record's file, as a link from there.
        command: what writes the file.
        parts: Markdown, one after the other.
    """
    return "\n\n".join([f"# {title}", f"Written from [{source}]({source}) by `{command}`.", *parts]) + "\n"


def update(
    pages: Sequence[Path],
    blocks: Mapping[str, str],
    *,
    check: bool,
    source: str,
    command: str,
    tables: Mapping[Path, str] | None = None,
) -> int:
    """Write the pages and the tables beside their records, or compare them; 1 where one differs.

    Args:
        pages: files that hold blocks.
        blocks: name → the text that stands in its place.
        check: write nothing.
        source, command: what the pages are made from, and by what, for the message.
        tables: file → the whole text that it holds.
    """
    wanted = {page: filled(page.read_text(), blocks) for page in pages} | dict(tables or {})
    stale = {path: text for path, text in wanted.items() if not path.is_file() or path.read_text() != text}
    for path, text in stale.items():
        if check:
            print(f"{path.name} does not say what {source} says; run {command}", file=sys.stderr)
        else:
            write_atomically(path, text)
    return int(bool(stale) and check)
