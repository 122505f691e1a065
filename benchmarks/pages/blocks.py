"""The blocks of a page, which are written from a record: the text between `<!-- NAME -->` and `<!-- /NAME -->`."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from parity.files import write_atomically


def filled(text: str, blocks: Mapping[str, str]) -> str:
    """The page with new texts in its blocks.

    Args:
        text: the page.
        blocks: name of a block → the text to put between its marks; a block that the page lacks is ignored.
    """
    for name, content in blocks.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        block = f"{start}\n{content.strip()}\n{end}"
        text = re.sub(f"{start}.*?{end}", lambda _, block=block: block, text, flags=re.DOTALL)  # type: ignore[misc] # block is a default
    return text


def beside(title: str, source: str, command: str, *parts: str) -> str:
    """The text of a file of tables that lies beside its record.

    Args:
        title: heading of the file.
        source: name of the record's file, as a link from there.
        command: command that writes the file.
        *parts: parts of the text, as Markdown.
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
    """Write the pages and the tables beside their records, or compare them.

    Args:
        pages: files that hold blocks.
        blocks: name of a block → its text.
        check: whether to write nothing and only compare.
        source, command: the record and the command that the message of a difference names.
        tables: file → its whole text.

    Returns:
        The exit code: 1 if `check` and a file differs, else 0.
    """
    wanted = {page: filled(page.read_text(), blocks) for page in pages} | dict(tables or {})
    stale = {path: text for path, text in wanted.items() if not path.is_file() or path.read_text() != text}
    for path, text in stale.items():
        if check:
            print(f"{path.name} does not say what {source} says; run {command}", file=sys.stderr)
        else:
            write_atomically(path, text)
    return int(bool(stale) and check)
