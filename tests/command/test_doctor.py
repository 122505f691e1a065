"""`parity doctor`: what is installed, and the faults that are known of it."""

import json
from pathlib import Path

import pytest

from parity.backends.processes import machine
from parity.cli.doctor.faults import KNOWN, faults_of
from parity.cli.main import main
from parity.versions import numbers


def test_versions_devices_settings_and_faults_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=[red]x")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache" / "netparity").mkdir(parents=True)
    (tmp_path / "cache" / "netparity" / "program").write_bytes(bytes(3 * 2**20))
    assert main(["doctor", "--json", str(tmp_path / "doctor.json")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    document = json.loads((tmp_path / "doctor.json").read_text())
    assert document["format"] == "netparity-doctor/1"
    for words in ("netparity", "devices", "64-bit mode off", "--xla_dump_to=[red]x", "3 MiB in 1 file", "threads"):
        assert words in said, words
    assert document["frameworks"]["JAX"]["devices"] == "cpu (cpu)"
    for fault in faults_of(document["versions"]):
        assert fault.what in said and all(link in said for link in fault.links)


def test_a_framework_that_cannot_be_imported_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optax", None)
    said = machine.frameworks()
    assert list(said["JAX"]) == ["cannot be imported"] and "optax" in said["JAX"]["cannot be imported"]
    assert "devices" in said["PyTorch"]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"jax": "0.10.2"}, ["39103", "39257"]),
        ({"jax": "0.11.0"}, ["39103", "39257"]),
        ({"jax": "0.12.0.1"}, []),
        ({"jax": "0.12.1"}, []),
        ({"jax": "0.10.1"}, []),
        ({"jax": "not installed"}, []),
        ({"flax": "0.12.0", "scipy": "1.13.1"}, ["flax", "scipy"]),
        ({"flax": "0.12.1", "scipy": "1.14.0"}, []),
        ({}, []),
    ],
)
def test_a_fault_is_known_of_its_versions_only(versions: dict[str, str], expected: list[str]) -> None:
    names = [fault.links[0].rpartition("/")[2] if fault.links else fault.package for fault in faults_of(versions)]
    assert names == expected


def test_every_fault_says_what_to_do() -> None:
    assert all(fault.what and fault.mend and numbers(fault.mended) > numbers(fault.first) for fault in KNOWN)
    assert [numbers(text) for text in ("2.13.0+cpu", "1.14", "unknown", "")] == [(2, 13, 0), (1, 14), (), ()]
