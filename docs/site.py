"""MkDocs' hooks: pages that lie elsewhere in the repository, the command's options, and links that leave docs/."""

import argparse
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from posixpath import normpath
from typing import Any
from urllib.parse import urlsplit

from mkdocs.structure.files import File, Files

from parity.cli.main import parser

ROOT = Path(__file__).parent.parent
ELSEWHERE = {
    "index.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
}
"""Page of the site → the file of the repository that it is."""
PLACEHOLDER = ".example"
"""The end of the host of an address that stands for one which is not known yet."""
STANDING = {"git+URL`, with the address of this repository for URL": "git+{address}`", "OWNER/netparity": "{name}"}
"""Words of a page that stand for the repository's address → what a site says that has one."""
PICTURES = {".png", ".svg"}
LINK = re.compile(r"(!?\[[^\]]*\])\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")


def on_config(config: Any) -> Any:
    """Lead to the repository at the top of each page, once its address is known."""
    if address := repository():
        config.repo_url = address
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie elsewhere, the options of all commands, and the records' pictures."""
    for page, place in ELSEWHERE.items():
        files.append(File.generated(config, page, content=(ROOT / place).read_text(encoding="utf-8")))
    files.append(File.generated(config, "options.md", content=options(parser())))
    for picture in sorted((ROOT / "benchmarks" / "records").rglob("*")):
        if picture.suffix in PICTURES:
            name = picture.relative_to(ROOT / "benchmarks").as_posix()
            files.append(File.generated(config, name, abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, page: Any, **context: Any) -> str:
    """Lead the links of a page to where they lead in the repository; write its address where a page has none."""
    del context
    if address := repository():
        name = "/".join(address.rstrip("/").split("/")[-2:])
        for words, said in STANDING.items():
            markdown = markdown.replace(words, said.format(address=address, name=name))
    folder = "" if page.file.src_uri in ELSEWHERE else "docs"
    return LINK.sub(lambda link: f"{link[1]}({led(link[2], folder)}{link[3] or ''})", markdown)


def led(link: str, folder: str) -> str:
    """Where a link leads on the site.

    Args:
        link: A path from the page's folder, as the repository has it.
        folder: That folder, from the root of the repository.
    """
    path = normpath(f"{folder}/{link}" if folder else link)
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    pages = {place: page for page, place in ELSEWHERE.items()}
    if path in pages:
        return pages[path]
    if path.startswith("benchmarks/records/") and Path(path).suffix in PICTURES:
        return path.removeprefix("benchmarks/")
    return f"{declared()}/blob/main/{path}"


def declared() -> str:
    """The repository's address as pyproject.toml has it, the one place that does."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    return str(urls["Repository"])


def repository() -> str:
    """The repository's address; "" as long as a placeholder stands for it."""
    address = declared()
    return "" if (urlsplit(address).hostname or "").endswith(PLACEHOLDER) else address


def options(command: argparse.ArgumentParser) -> str:
    """The page with the help of a command and of all that it has below it."""
    parts = ["# All options", "", "What `--help` prints, for each command.", ""]
    for one in commands(command):
        one.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=100)
        parts += [f"## {one.prog}", "", "```text", one.format_help().rstrip(), "```", ""]
    return "\n".join(parts)


def commands(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A command and those below it, in the order in which they were declared."""
    yield command
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from commands(below)
