"""What is said of an error that a user's code raised."""

import pytest

from parity.interface.user_code import words


def test_notes_are_not_taken_for_what_the_error_says() -> None:
    error = ValueError("the user's words\nand more")
    error.add_note("For simplicity, somebody has removed frames.\nSet this to see them.")
    assert words(error) == "ValueError: the user's words"


def test_what_python_cannot_read_is_said_too() -> None:
    with pytest.raises(SyntaxError) as caught:
        compile("x = (", "network.py", "exec")
    assert words(caught.value).startswith("SyntaxError: ")


def test_an_error_without_words_is_its_type() -> None:
    assert words(KeyError()) == "KeyError"
