"""The recipes of the zoo: a claim each, on data that need no download, and a check of all rungs."""

import ast
from pathlib import Path

import pytest

from parity import recipes
from parity.checks.verdict import Verdict
from parity.data import DATA_NAMES
from parity.errors import UsageError
from parity.twins.check import check
from tests.zoo.small import NAMES, recipe

FOLDER = Path(recipes.__file__).parent / "zoo"
PAGE = (Path(recipes.__file__).parent.parent.parent / "docs" / "zoo.md").read_text(encoding="utf-8")


def test_names_are_those_of_the_files() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == {*NAMES, "__init__"}
    assert not set(NAMES) & set(recipes.names())


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_whole(name: str) -> None:
    found = recipes.load(name)
    assert found.name == name and found.source == f"docs/zoo.md#{name}"
    assert (found.steps is None) != (found.epochs is None)
    assert found.data in DATA_NAMES and found.data not in ("cifar10", "fashion-mnist")
    assert found.parameters and found.check_parameters and found.check_config


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_is_the_claim_with_its_command_and_the_page_has_it(name: str) -> None:
    docstring = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text())) or ""
    said = " ".join(docstring.split())
    assert recipes.load(name).claim in said
    assert f"`parity train {name} --backend " in said
    assert recipes.load(name).claim in " ".join(PAGE.split())


def test_groups_and_names_can_be_mixed() -> None:
    assert recipes.chosen([]) == recipes.names()
    assert recipes.chosen(["zoo"]) == NAMES
    assert recipes.chosen(["vit", "rnn", "zoo"])[:2] == ["vit", "rnn"]
    assert len(recipes.chosen(["vit", "zoo"])) == len(NAMES)
    with pytest.raises(UsageError, match="unknown network 'zo'"):
        recipes.chosen(["zo"])


def test_a_recipe_at_the_check_s_size_is_smaller_and_stays_so() -> None:
    small = recipe("vit")
    assert (small.parameters or 0) < (recipes.load("vit").parameters or 0)
    assert small.at_check_size is small and recipes.load("mlp").at_check_size is recipes.load("mlp")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_rung_is_the_same(name: str) -> None:
    report = check(recipe(name))
    assert [(rung.name, rung.verdict) for rung in report.rungs if rung.verdict is not Verdict.SAME] == []
    assert len(report.rungs) == 8
