"""The weight map: canonical names and layouts, both ways, and the file."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from parity.errors import UsageError
from parity.weights import (
    Kind,
    buffers,
    from_canonical,
    is_buffer,
    load,
    parameters,
    require_bijection,
    save,
    shapes_of,
    to_canonical,
)

KINDS: dict[str, Kind] = {"a.dense": "dense", "conv": "conv", "norm": "norm", "": "dense"}


def numbered(*shape: int) -> Any:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


TORCH = {
    "a.dense.weight": numbered(3, 2),
    "a.dense.bias": numbered(3),
    "conv.weight": numbered(7, 5, 3, 2),
    "conv.bias": numbered(7),
    "norm.weight": numbered(7),
    "norm.bias": numbered(7) + 1,
    "norm.running_mean": numbered(7) + 2,
    "norm.running_var": numbered(7) + 3,
    "weight": numbered(5, 3),
}


def test_torch_names_and_layouts() -> None:
    canonical = to_canonical({**TORCH, "norm.num_batches_tracked": np.array(4)}, KINDS, "torch")
    assert list(canonical) == [
        "a.dense.kernel",
        "a.dense.bias",
        "conv.kernel",
        "conv.bias",
        "norm.scale",
        "norm.bias",
        "norm.running_mean",
        "norm.running_var",
        "kernel",
    ]
    assert np.array_equal(canonical["a.dense.kernel"], TORCH["a.dense.weight"].T)
    kernel, weight = canonical["conv.kernel"], TORCH["conv.weight"]
    assert kernel.shape == (3, 2, 5, 7)
    assert all(kernel[h, w, i, o] == weight[o, i, h, w] for h, w, i, o in np.ndindex(kernel.shape))
    assert all(array.flags.c_contiguous for array in canonical.values())


def test_jax_names_and_layouts() -> None:
    native = {"conv.kernel": numbered(3, 2, 5, 7), "norm.scale": numbered(7), "norm.mean": numbered(7) + 1,
              "norm.var": numbered(7) + 2, "a.dense.kernel": numbered(2, 3)}  # fmt: skip
    canonical = to_canonical(native, KINDS, "flax")
    assert list(canonical) == ["conv.kernel", "norm.scale", "norm.running_mean", "norm.running_var", "a.dense.kernel"]
    assert all(np.array_equal(ours, own) for ours, own in zip(canonical.values(), native.values(), strict=True))


def test_what_has_no_twin_is_left_out_wherever_it_stands() -> None:
    native = {"norm.num_batches_tracked": np.array(4), "norm.weight": numbered(7)}
    assert list(to_canonical(native, KINDS, "torch")) == ["norm.scale"]


def test_there_and_back_is_the_identity() -> None:
    canonical = to_canonical(TORCH, KINDS, "torch")
    back = from_canonical(canonical, KINDS, "torch")
    assert list(back) == list(TORCH) and all(np.array_equal(back[name], array) for name, array in TORCH.items())
    again = to_canonical(from_canonical(canonical, KINDS, "flax"), KINDS, "flax")
    assert list(again) == list(canonical) and all(np.array_equal(again[name], canonical[name]) for name in canonical)


def test_shapes_alone_are_mapped_alike() -> None:
    found = shapes_of({name: array.shape for name, array in TORCH.items()}, KINDS, "torch")
    assert found == {name: array.shape for name, array in to_canonical(TORCH, KINDS, "torch").items()}


def test_parameters_and_buffers_share_the_weights_out() -> None:
    canonical = to_canonical(TORCH, KINDS, "torch")
    assert list(buffers(canonical)) == ["norm.running_mean", "norm.running_var"]
    assert {*parameters(canonical), *buffers(canonical)} == {*canonical} and len(parameters(canonical)) == 7


def test_the_last_part_of_a_name_makes_a_buffer() -> None:
    names = ("running_mean", "features.0.norm.running_var", "running_mean.scale")
    assert [is_buffer(name) for name in names] == [True, True, False]


def test_a_bijection_raises_nothing() -> None:
    require_bijection({"b": np.ones(2), "a": np.ones((2, 3))}, {"a": (2, 3), "b": (2,)})


def test_everything_that_does_not_fit_is_listed() -> None:
    got = {"a": np.ones(2), "c": np.ones((3, 2)), "d": np.array([1.0, np.nan]), "e": np.array([np.inf])}
    with pytest.raises(UsageError) as caught:
        require_bijection(got, {"a": (3,), "b": (5, 7), "b2": (), "d": (2,), "e": (1,)})
    assert str(caught.value) == (
        "the weights do not fit the network: missing b (5, 7), b2 (); extra c (3, 2); a has shape (2,), expected (3,); "
        "NaN or infinity in d; NaN or infinity in e; give the weights of this network"
    )


@pytest.mark.parametrize(
    ("native", "says"),
    [
        ({"odd.weight": numbered(2, 3)}, r"torch array odd\.weight \(2, 3\) belongs to no known layer kind"),
        ({"norm.kernel": numbered(2)}, r"torch array norm\.kernel \(2,\) belongs to no known layer kind"),
        (
            {"conv.scale": numbered(2)},
            r"torch array conv\.scale \(2,\) .*\(dense, conv, norm, embedding, table, bias, lstm, experts\)",
        ),
    ],
)
def test_an_array_without_a_kind_or_role_is_named(native, says) -> None:
    with pytest.raises(UsageError, match=says):
        to_canonical(native, KINDS, "torch")


@pytest.mark.parametrize("name", ["odd.kernel", "norm.kernel", "conv.weight"])
def test_a_weight_that_fits_no_layer_is_named(name) -> None:
    with pytest.raises(UsageError, match=rf"weight {name} \(2,\) fits no layer.*a\.dense, conv, norm"):
        from_canonical({name: np.ones(2)}, KINDS, "flax")


def test_eight_known_layers_are_enough_for_a_hint() -> None:
    kinds: dict[str, Kind] = {f"layer{i}": "dense" for i in range(10)}
    with pytest.raises(UsageError) as caught:
        from_canonical({"odd.kernel": np.ones(2)}, kinds, "flax")
    known = ", ".join(f"layer{i}" for i in range(8))
    assert str(caught.value) == f"weight odd.kernel (2,) fits no layer of the network; known layers: {known}"


def test_a_file_says_what_it_is(tmp_path) -> None:
    save({"a": numbered(2)}, tmp_path / "w")
    with safe_open(tmp_path / "w", "numpy") as file:
        assert file.metadata() == {"format": "netparity", "layout": "canonical"}


def test_a_file_gives_back_every_array_bit_for_bit(tmp_path) -> None:
    arrays = {
        "a.kernel": np.random.default_rng(0).standard_normal((3, 5)),
        "a.bias": numbered(7),
        "turned": numbered(3, 5).T,
        "every other": numbered(8)[::2],
        "none": np.zeros((0, 3)),
    }
    save(arrays, tmp_path / "w")
    found = load(tmp_path / "w")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(found[name], array)


def tensors(kind: str, shape: list[int], size: int) -> bytes:
    header = json.dumps({"a": {"dtype": kind, "shape": shape, "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)


BROKEN = {
    "empty": b"",
    "text": b"not weights at all, only words\n" * 9,
    "header of another length": struct.pack("<Q", 2**60) + b"{}",
    "header that is no JSON": struct.pack("<Q", 3) + b'{"\n',
    "header that is no UTF-8": struct.pack("<Q", 2) + b"\xff\xfe",
    "shape that does not fit": tensors("F32", [3], 4),
    "unknown type": tensors("XX", [1], 4),
    "type that NumPy lacks": tensors("BF16", [2], 4),
}


def refused(path: Any) -> str:
    with pytest.raises(UsageError) as caught:
        load(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_is_no_safetensors_file_is_one_line(what, tmp_path) -> None:
    (tmp_path / "w").write_bytes(BROKEN[what])
    expected = "numbers of type" if what == "type that NumPy lacks" else "is not a whole safetensors file"
    assert expected in refused(tmp_path / "w")


def test_a_truncated_or_lengthened_file_is_one_line(tmp_path) -> None:
    save({"a": numbered(4), "b": numbered(3)}, tmp_path / "w")
    whole = (tmp_path / "w").read_bytes()
    for altered in (*(whole[:size] for size in range(0, len(whole), 7)), whole[:-1], whole + b"\0"):
        (tmp_path / "w").write_bytes(altered)
        assert "is not a whole safetensors file" in refused(tmp_path / "w")


def test_weights_are_floating_numbers(tmp_path) -> None:
    save({"a": np.arange(3), "b": np.array([True]), "c": numbered(2)}, tmp_path / "w")
    expected = f"{tmp_path / 'w'} holds numbers of type bool, int64; save them as float32 or float64"
    assert refused(tmp_path / "w") == expected


def test_a_path_that_cannot_be_read_is_one_line(tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert "No such file" in refused(tmp_path / "none")
    assert "Is a directory" in refused(tmp_path)
    assert "Not a directory" in refused(tmp_path / "file" / "w")


def test_saving_where_nothing_can_be_written_leaves_nothing_behind(tmp_path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"old")
    for target in (tmp_path / "none" / "w", tmp_path / "folder", tmp_path / "file" / "w", tmp_path / ("w" * 300)):
        with pytest.raises(UsageError, match="cannot write") as caught:
            save({"a": numbered(2)}, target)
        assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]
    assert (tmp_path / "file").read_bytes() == b"old"
