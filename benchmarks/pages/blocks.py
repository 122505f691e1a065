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


def update(pages: Sequence[Path], blocks: Mapping[str, str], *, check: bool, source: str, command: str) -> int:
    """Write the pages, or compare them; 1 where one differs.

    Args:
        pages: files.
        blocks: name → what stands there.
        check: write nothing.
        source, command: what the pages are made from, and by what, for the message.
    """
    stale = [page for page in pages if filled(page.read_text(), blocks) != page.read_text()]
    for page in stale:
        if check:
            print(f"{page.name} does not say what {source} says; run {command}", file=sys.stderr)
        else:
            write_atomically(page, filled(page.read_text(), blocks))
    return int(bool(stale) and check)
