import json

import pytest

from benchmarks import data_pipeline
from parity.data import load_images
from parity.data.images import Split


def test_the_summary_is_of_medians_and_turns():
    figures = data_pipeline.summary({"numpy": [100.0, 300.0, 200.0], "torchvision": [10.0, 10.0, 5.0]})
    assert figures["ratio"] == 20.0 and (figures["ratio_min"], figures["ratio_max"]) == (10.0, 40.0)
    assert figures["images_per_second"]["numpy"]["median"] == 200.0


@pytest.mark.parametrize(("ours", "code"), [(200.0, 0), (199.0, 1)])
def test_the_record_and_the_exit_code(tmp_path, monkeypatch, capsys, ours, code):
    monkeypatch.setattr(data_pipeline, "real_images", lambda: ("digits", load_images("digits")))
    monkeypatch.setattr(data_pipeline, "measure", lambda *_: {"numpy": [ours], "torchvision": [10.0]})
    assert data_pipeline.main(["--json", str(tmp_path / "record.json")]) == code
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["data"] == "digits" and record["images"] == 1257 and record["demanded_ratio"] == 20
    assert {"cpu", "cores", "python", "numpy", "torch", "torchvision", "date", "command"} <= set(record)
    assert "ratio" in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data_pipeline, "real_images", lambda: ("digits", load_images("digits")))
    monkeypatch.setattr(data_pipeline, "measure", lambda *_: {"numpy": [1.0], "torchvision": [1.0]})
    assert data_pipeline.main(["--json", str(tmp_path / "gone" / "record.json")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_the_peer_makes_the_same_kind_of_image():
    data = load_images("digits").splits["train"]
    image, label = data_pipeline.PilImages(Split(data.images[:3], data.labels[:3]))[1]
    assert tuple(image.shape) == (3, 32, 32) and label == data.labels[1]
