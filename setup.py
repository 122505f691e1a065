"""The package page: README.md with links that lead somewhere from there. All else is in pyproject.toml."""

import re
import tomllib
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)")
"""A link, or an image, that leads to a file of the repository."""


def absolute(text: str, repository: str) -> str:
    """The text with its links into the repository made whole; images lead to the file itself."""

    def whole(link: re.Match[str]) -> str:
        kind = "raw" if link[1] else "blob"
        return f"{link[1]}[{link[2]}]({repository}/{kind}/main/{link[3]})"

    return LINK.sub(whole, text)


if __name__ == "__main__":
    urls = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    page = absolute((HERE / "README.md").read_text(encoding="utf-8"), urls["Repository"])
    setup(long_description=page, long_description_content_type="text/markdown")
