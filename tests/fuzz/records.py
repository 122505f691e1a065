"""The same of the records that `parity reproduce` and `benchmarks` read."""

import copy
import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.evidence import draws
from benchmarks.evidence import record as evidence
from benchmarks.growth import measure as growth
from benchmarks.pages import study as study_pages
from benchmarks.pairs import check as public_pairs
from benchmarks.scaling import page as scaling_page
from benchmarks.speed import record as records
from benchmarks.speed.pages import compare, report
from benchmarks.tpu import __main__ as tpu
from benchmarks.tpu import pod_record as pod_records
from benchmarks.tpu import record as tpu_records
from benchmarks.waits import measure as time_to
from parity import documents
from parity.study import record as study
from tests.fuzz.kinds import Target
from tests.fuzz.mutate import mutated_json, mutated_lines

DRAWN = 64
"""One file in so many is drawn too, which takes long."""
GRADED = {"size": 0.1, "referee": True, "rung": 2, "share": 3e6, "1e-05": True}
SPEED = report.newest().parent


def every() -> dict[str, Target]:
    """All kinds, by name."""
    return {
        "record of speed": _one("run.json", _run(), _compare),
        "record of growth": _one("growth.json", _growth(), _shown("growth", growth)),
        "record of waits": _one("result.json", _result(), _shown("result", time_to)),
        "record of TPUs": _one("tpu.json", _tpu(), lambda path: _both(tpu_records, path)),
        "record of scaling": _one("scaling.json", _scaling(), scaling_page.made),
        "record of pods": _one("pods.json", _pods(), lambda path: _both(pod_records, path)),
        "record of pairs": _one("pairs.json", _pairs(), _page),
        "record of the study": _one(study.RECORD, _study(), lambda path: study_pages.blocks(path.parent)),
        **_evidence(),
    }


def _one(name: str, document: Any, read: Callable[[Path], Any]) -> Target:
    return Target({name: json.dumps(document).encode()}, {name: mutated_json}, lambda folder: read(folder / name))


def _run() -> dict[str, Any]:
    record = records.load(report.newest())
    part, few = record["workloads"]["points"], ("flax-default", "flax-tuned")
    kept = {**part, "turns": [turn for turn in part["turns"] if turn["contestant"] in few]}
    return {**record, "workloads": {"points": kept}}


def _scaling() -> dict[str, Any]:
    about = {"workload": "mlp", "seconds_per_step": 0.1, "others_before": None}
    alone = [{"framework": f, "scaling": "one device", "batch": 128, "devices": 1, **about} for f in ("jax", "torch")]
    more = [{**one, "scaling": scaling, "devices": 2} for one in alone for scaling in ("strong", "weak")]
    return {"command": "python -m benchmarks.scaling.measure", "cores": 2, "turns": [*alone, *more]}


@cache
def _old() -> dict[str, Any]:
    return _run()


def _compare(path: Path) -> Any:
    text = compare.text(_old(), records.load(path))
    if _is_drawn(path):
        return text, [section.draw() for section in report.sections(path) if section.draw]
    return text


def _is_drawn(path: Path) -> bool:
    return hashlib.sha256(path.read_bytes()).digest()[0] % DRAWN == 0


def _growth() -> dict[str, Any]:
    record = records.load(SPEED / "growth.json", "growth")
    part = record["series"]["mlp-batch"]
    return {**record, "series": {"mlp-batch": {**part, "sizes": dict(list(part["sizes"].items())[:4])}}}


def _result() -> dict[str, Any]:
    record = records.load(SPEED / "result.json", "result")
    return {**record, "tasks": {"digits": record["tasks"]["digits"]}}


def _shown(kind: str, module: Any) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        found = records.load(path, kind)
        return module.markdown(found), module.figure(found) if _is_drawn(path) else None

    return read


def _tpu() -> dict[str, Any]:
    record = copy.deepcopy(tpu_records.read(tpu.newest()))
    return {**record, "runs": record["runs"][:1], "estimates": record["estimates"][:4]}


def _pods() -> dict[str, Any]:
    record = pod_records.read(tpu.newest("pods"))
    kept = [row for row in record["pods"] if row["chips"] == 4 and row["workload"] != "mlp"][:4]
    return {
        **record,
        "runs": record["runs"][:1],
        "pods": [{**row, "collectives": row["collectives"][:2]} for row in kept],
    }


def _pairs() -> dict[str, Any]:
    record = json.loads(public_pairs.newest().read_text())
    kept = [name for name, found in record["pairs"].items() if not found["wrong"]][:2]
    kept += [name for name, found in record["pairs"].items() if found["wrong"]][:2]
    return {**record, "pairs": {name: record["pairs"][name] for name in kept}}


def _both(records: Any, path: Path) -> Any:
    """The page and the tables of a record of the TPU compiler."""
    return records.page(records.read(path)), records.tables(records.read(path))


def _page(path: Path) -> Any:
    record = documents.read(path, public_pairs.PairRecord, public_pairs.REMEDY)
    return public_pairs.page(record), public_pairs.tables(record)


def _study() -> dict[str, Any]:
    """Claims, and of the results what the pages say, cut short."""
    record = study.read(study_pages.newest())
    return {**record, "experiments": {name: _cut(entry) for name, entry in record["experiments"].items()}}


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        gone = ("mean", "std", "step", "scatter", "gaps", "loss")
        return {key: _cut(inner) for key, inner in value.items() if key not in gone}
    return [_cut(inner) for inner in value[:3]] if isinstance(value, list) else value


def _evidence() -> dict[str, Target]:
    """The folder of evidence; one file of it is mutated."""
    bugs = json.loads((evidence.newest("bugs.json") / "bugs.json").read_text())
    row = {"where": "moons, seed 0, rung 2", "rung": 2, "share": 3.5}
    families = [{"name": "eps", "pair": "mlp", "rung": 2, "sound": {**GRADED, "size": 0.0}, "sizes": [GRADED] * 2}]
    line = {"number": 0, "verdict": "same", "share": 1.5, "told": 0.0, "rung": "", "layer": "", "reason": ""}
    wrong = {**line, "verdict": "different", "told": 1e7, "mutation": "eps", "side": "jax", "place": [0]}
    survivor = {"function": "a.f", "change": "x → y"}
    explained = {"id": "a", "mechanism": "b", "side": "flax", "place": "c", "cause": "d", "proof": "e", "right": True,
                 "wrong": False, "lines": {"flax": "a.py:1"}}  # fmt: skip
    repaired = {"id": "a", "mechanism": "m", "side": "torch", "repaired": True, "before": "different", "after": "same"}
    files = {
        "bugs.json": {**bugs, "bugs": bugs["bugs"][:4]},
        "causes.json": {"commit": "a", "bugs": [explained]},
        "drawn_repairs.json": {"commit": "a", "bugs": [repaired]},
        "repairs.json": {"commit": "a", "bugs": [repaired]},
        "graded.json": {"threshold": 1024.0, "tolerances": [1e-5], "families": families},
        "slow.json": {"commit": "a", "seconds": 60, "modules": {"tests.a": {"passed": 2, "failed": 0, "skipped": 0}}},
        "mutants.json": {"modules": {"a.py": {"mutants": 2, "killed": 1, "survived": 1}}, "survivors": [survivor]},
        "margins.json": {"threshold": 1024.0, "correct": [row] * 3, "planted": [{**row, "share": 1e7}] * 3},
    }
    content = {name: json.dumps(document).encode() for name, document in files.items()}
    for name, one in (("correct.jsonl", line), ("bug.jsonl", wrong)):
        content[name] = b"".join(json.dumps({**one, "number": n}).encode() + b"\n" for n in range(4))
    kinds = {name: {name: mutated_json} for name in files} | {
        "draws": dict.fromkeys(list(content)[len(files) :], mutated_lines)
    }
    return {
        f"evidence, {name}": Target(content, changes, _read_evidence, writes=name == "draws")
        for name, changes in kinds.items()
    }


def _read_evidence(folder: Path) -> Any:
    found = evidence.read([folder])
    return found.threshold, found.same, found.caught, next(draws._missing(folder / "bug.jsonl", 9))
