"""A PyTorch network as a file of `torch.export`: a graph with the weights in it, which PyTorch alone can run."""

import copy
import io

import numpy as np
import torch
from numpy.typing import NDArray

from parity.backends.torch.training.arrays import nchw
from parity.backends.torch.twin import TorchTwin


def write(twin: TorchTwin, inputs: NDArray[np.generic]) -> bytes:
    """The file's bytes; it takes batches of any size, images as (B, C, H, W). See `parity.backends.exported`.

    Source: https://docs.pytorch.org/docs/stable/export.html.
    """
    network, file = copy.deepcopy(twin.model).eval(), io.BytesIO()
    batch = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(network, (twin.tensor(nchw(inputs)),), dynamic_shapes=batch)
    torch.export.save(program, file)
    return file.getvalue()
