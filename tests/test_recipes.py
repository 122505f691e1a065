"""The study's experiments as data."""

import ast
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from parity import recipes
from parity.data import DATA_NAMES
from parity.errors import UsageError
from parity.recipes import Optimizer
from parity.reference import NETWORKS
from parity.weights import is_buffer

FOLDER = Path(recipes.__file__).parent
NAMES = ["blobs", "circles", "gru", "mlp", "moons", "rnn", "rnn_orthogonal", "vgg"]
OURS = ["gru", "rnn_orthogonal"]
STUDY = "docs/the-study.md#part-i"


def test_names_are_those_of_the_files() -> None:
    assert recipes.names() == NAMES
    assert {path.stem for path in FOLDER.glob("*.py")} == {*NAMES, "spec", "__init__"}


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_whole(name) -> None:
    recipe = recipes.load(name)
    assert recipe.name == name
    assert (recipe.steps is None) != (recipe.epochs is None)
    assert {recipe.data, recipe.check_data} <= set(DATA_NAMES)
    assert (recipe.length is not None) == (recipe.data == "palindromes")
    assert recipe.claim and recipe.source.startswith(f"beyond {STUDY}" if name in OURS else STUDY)
    assert "\n" not in recipe.claim


@pytest.mark.parametrize("name", NAMES)
def test_the_stated_number_of_parameters_is_the_networks(name) -> None:
    recipe = recipes.load(name)
    shapes = NETWORKS[recipe.network](**recipe.config).shapes()
    sizes = {key: 1 for key in shapes if not is_buffer(key)}
    for key in sizes:
        for size in shapes[key]:
            sizes[key] *= size
    assert sum(sizes.values()) == recipe.parameters


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        ("mlp", Optimizer(kind="adam", learning_rate=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-4)),
        ("vgg", Optimizer(kind="adam", learning_rate=1e-4, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)),
        ("rnn", Optimizer(kind="rmsprop", learning_rate=1e-3, alpha=0.99, eps=1e-8, clip_norm=10.0)),
        ("moons", Optimizer(kind="sgd", learning_rate=0.01, momentum=0.0, clip_norm=None)),
    ],
)
def test_optimizers_are_the_studys(name, optimizer) -> None:
    assert recipes.load(name).optimizer == optimizer


@pytest.mark.parametrize("name", OURS)
def test_ours_train_in_the_studys_budget(name) -> None:
    ours, studys = recipes.load(name), recipes.load("rnn")
    assert (ours.data, ours.batch_size, ours.steps) == (studys.data, studys.batch_size, studys.steps)
    assert replace(ours.optimizer, learning_rate=studys.optimizer.learning_rate) == studys.optimizer
    assert ours.config["hidden_size"] == studys.config["hidden_size"]
    assert ours.length == 30 and (ours.check_length or 0) < 30


def test_points_differ_in_their_data_and_claim_only() -> None:
    moons = recipes.load("moons")
    for name in ("blobs", "circles"):
        recipe = recipes.load(name)
        assert recipe == replace(moons, name=name, data=name, claim=recipe.claim)


def test_the_check_takes_data_that_need_no_download() -> None:
    offline = {name: recipes.load(name).check_data for name in NAMES}
    assert offline == {
        "blobs": "blobs",
        "circles": "circles",
        "gru": "palindromes",
        "mlp": "digits",
        "moons": "moons",
        "rnn": "palindromes",
        "rnn_orthogonal": "palindromes",
        "vgg": "digits",
    }


def test_a_recipe_cannot_be_changed() -> None:
    recipe = recipes.load("mlp")
    with pytest.raises(FrozenInstanceError):
        recipe.batch_size = 1  # type: ignore[misc] # what is tested
    with pytest.raises(FrozenInstanceError):
        recipe.optimizer.learning_rate = 1.0  # type: ignore[misc] # what is tested


@pytest.mark.parametrize(
    ("got", "hint"),
    [
        ("moon", "did you mean moons or moe?"),
        ("mpl", "did you mean mlp?"),
        ("spec", f"known: {', '.join(sorted([*recipes.names(), *recipes.zoo_names()]))}"),
        ("", f"known: {', '.join(sorted([*recipes.names(), *recipes.zoo_names()]))}"),
        ("../mlp", "did you mean mlp?"),
        ("__init__", f"known: {', '.join(sorted([*recipes.names(), *recipes.zoo_names()]))}"),
    ],
)
def test_an_unknown_name_gets_the_near_ones(got, hint) -> None:
    with pytest.raises(UsageError) as caught:
        recipes.load(got)
    assert str(caught.value) == f"unknown network {got!r}; {hint}"


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_recipes_import_the_standard_library_only(path) -> None:
    others = {name for name in imported(path) if name.partition(".")[0] not in sys.stdlib_module_names}
    assert others <= {"parity.recipes.spec", "parity.errors"}
    assert path.stem in ("__init__", "spec") or others == {"parity.recipes.spec"}


@pytest.mark.parametrize("name", ["blobs", "circles", "moons"])
def test_the_docstring_of_a_file_is_its_claim(name) -> None:
    docstring = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text())) or ""
    assert docstring == f"Part I, tasks 1 and 2, on {name}: {recipes.load(name).claim}."
