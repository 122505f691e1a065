"""A PyTorch network as a file of `torch.export`: a graph with the weights in it, which PyTorch alone can run."""

import copy
import io

import torch

from parity.backends.exported import Inputs, arguments_of
from parity.backends.torch.training.arrays import nchw
from parity.backends.torch.twin import TorchTwin


def write(twin: TorchTwin, inputs: Inputs) -> bytes:
    """The file's bytes; it takes batches of any size, images as (B, C, H, W). See `parity.backends.exported`.

    Source: https://docs.pytorch.org/docs/stable/export.html.
    """
    network, file = copy.deepcopy(twin.model).eval(), io.BytesIO()
    arguments = tuple(twin.tensor(nchw(array)) for array in arguments_of(inputs))
    batch = torch.export.Dim("batch")
    program = torch.export.export(network, arguments, dynamic_shapes=tuple({0: batch} for _ in arguments))
    torch.export.save(program, file)
    return file.getvalue()
