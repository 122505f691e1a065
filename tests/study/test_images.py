"""The image networks of the study, on files in CIFAR-10's format."""

from dataclasses import replace
from pathlib import Path

import pytest

from parity.checks.claims import Ruling
from parity.data import cifar10
from parity.errors import UsageError
from parity.study import figures
from parity.study.images import experiment as images
from parity.study.images.runs import NAMES
from parity.study.part import Part, Setting
from parity.study.runs import Runs
from parity.study.scale import SCALES
from tests.data.made import cifar_folder
from tests.data.pictures import pack, pictures

SCALE = replace(SCALES["quick"], image_steps=3, image_data=None)


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Part:
    """Both networks, a step or two beyond an epoch of 54 images, in both frameworks."""
    folder = tmp_path_factory.mktemp("cifar")
    checksums, _ = cifar_folder(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, md5 in checksums.items():
            patch.setitem(cifar10.MD5, name, md5)
        return images.run(Setting(Runs(folder / "runs", data_dir=str(folder)), SCALE, data="cifar10"))


@pytest.mark.slow
def test_the_whole_pipeline_trains_both_networks_on_cifar10(part: Part) -> None:
    assert part.results["data"] == "cifar10"
    assert part.results["steps_per_epoch"] == {"mlp": 1, "vgg": 2}
    for name in NAMES:
        for found in part.results["final"][name].values():
            assert found.keys() >= {"training", "validation", "test"}
    mlp = part.results["final"]["mlp"]
    assert mlp["jax"]["test"]["loss"][0] == pytest.approx(mlp["torch"]["test"]["loss"][0])


@pytest.mark.slow
def test_its_figures_are_drawn(part: Part, tmp_path: Path) -> None:
    names = figures.write("images", part.results, tmp_path)
    assert all((tmp_path / name).stat().st_size > 5_000 for name in names)
    assert len(names) == 6


@pytest.mark.slow
def test_a_few_steps_judge_no_claim_of_the_study(part: Part) -> None:
    studied = [claim for claim in part.claims if not claim.claim.startswith("ours")]
    assert {claim.ruling for claim in studied} == {Ruling.NOT_MEASURABLE}


@pytest.mark.slow
def test_a_run_crosses_from_jax_to_pytorch(part: Part) -> None:
    crossed = part.results["whole"]["vgg"]["jax to torch"]
    assert crossed["crossed_at"] == 3 and crossed["final"]["epochs"] == 3.0
    [run] = [one for one in part.results["runs"] if one["label"] == "jax to torch"]
    assert run["start"] == {"backend": "jax", "step": 3}


def test_nothing_so_far_is_told(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "runs", data_dir=str(pack(tmp_path / "pets.zip", pictures())))
    with pytest.raises(UsageError, match=r"holds no epoch of a run on folder:pets.*leave out --so-far"):
        images.run(Setting(runs, SCALE, data="folder", train=False))


def test_images_that_were_asked_for_are_not_replaced_by_others(tmp_path: Path) -> None:
    setting = Setting(Runs(tmp_path / "runs", data_dir=str(tmp_path)), SCALE, data="cifar10")
    with pytest.raises(UsageError, match="CIFAR-10 is not in"):
        images.available(setting)
    assert images.available(replace(setting, data="digits")) == "digits"
    assert images.available(replace(setting, data=None)) == "digits"
