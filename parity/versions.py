"""Versions of packages as numbers that can be compared."""

import re


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, such as (0, 10, 2) of "0.10.2+cpu"; none if it begins with no number."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, match[0].split("."))) if match else ()
