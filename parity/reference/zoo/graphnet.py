"""The graph network by hand."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.reference.layers import Array, relu_backward, relu_forward
from parity.reference.modules import Dense
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.zoo.layers.composite import Composite, back, call

Numbers = NDArray[np.int64]


def segment_sum(values: Array, segments: Numbers, count: int) -> Array:
    """Sums (count, C) of those of the values (N, C) whose segment (N,) is the same.

    Its derivative looks the cotangent up, `cotangent[segments]`; and it is itself the derivative of looking up.
    """
    sums = np.zeros((count, values.shape[-1]))
    np.add.at(sums, segments, values)
    return sums


class MessagePassing(Composite):
    """h + ReLU(update([h, Σ ReLU(message([h, h of the sender]))])), the sum being over the edges that end at a node.

    Args:
        path: the module's place in the network.
        width: features of a node.
        hidden: features of a message.
    """

    def __init__(self, path: str, width: int, hidden: int) -> None:
        self.width = width
        self.message = Dense(f"{path}.message", 2 * width, hidden)
        self.update = Dense(f"{path}.update", width + hidden, width)
        super().__init__(path, self.message, self.update)

    def listen(self, run: Run, nodes: Array, senders: Numbers, receivers: Numbers) -> Array:
        """Run one round on nodes (N, width) with edges (E,); three calls."""
        ends = np.concatenate([nodes[receivers], nodes[senders]], axis=-1)
        edges, open_edges = relu_forward(call(self.message, run, ends))
        heard = segment_sum(edges, receivers, len(nodes))
        change, open_nodes = relu_forward(call(self.update, run, np.concatenate([nodes, heard], axis=-1)))
        return run.record(self.path, nodes, nodes + change, (senders, receivers, open_edges, open_nodes))

    def tell(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run the recorded round backward; return the gradient of the nodes."""
        gradients.outputs[self.path] = cotangent
        senders, receivers, open_edges, open_nodes = run.cache[self.path]
        to_both = back(self.update, run, gradients, relu_backward(cotangent, open_nodes))
        to_edges = relu_backward(to_both[:, self.width :][receivers], open_edges)
        to_ends = back(self.message, run, gradients, to_edges)
        to_receivers = segment_sum(to_ends[:, : self.width], receivers, len(cotangent))
        to_senders = segment_sum(to_ends[:, self.width :], senders, len(cotangent))
        return cotangent + to_both[:, : self.width] + to_receivers + to_senders


class GraphNet(Network):
    """Rounds of messages along the edges, the sum over each graph's nodes, and a dense layer.

    Its arguments are those of `jaxnets.GraphNet`, without `init` and `rngs`.

    Inputs are (B, N, features + K): a node's features, then the numbers of the nodes of its graph that it hears; a
    negative one is no edge, and a node whose first is negative is no node. Logits are (B, num_classes).
    """

    def __init__(
        self, *, features: int = 3, num_classes: int = 10, width: int = 64, depth: int = 3, hidden: int = 64
    ) -> None:
        self.features = features
        self.encode = Dense("encode", features, width)
        self.rounds = [MessagePassing(f"rounds.{i}", width, hidden) for i in range(depth)]
        self.head = Dense("head", width, num_classes)
        super().__init__([self.encode, *self.rounds, self.head])

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; the cache is where the first ReLU lets through, and the graph of each node."""
        nodes, senders, receivers, graph = self.parted(inputs)
        nodes, mask = relu_forward(call(self.encode, run, nodes))
        for round_ in self.rounds:
            nodes = round_.listen(run, nodes, senders, receivers)
        sums = segment_sum(nodes, graph, len(inputs) + 1)
        return call(self.head, run, sums)[: len(inputs)], (mask, graph)

    def parted(self, inputs: Array) -> tuple[Array, Numbers, Numbers, Numbers]:
        """Nodes with one more to fill up with, senders and receivers of all edges, and the graph of each node."""
        heard = np.rint(inputs[..., self.features :]).astype(np.int64)
        graphs, size, _ = heard.shape
        total = graphs * size
        numbers = np.arange(total).reshape(graphs, size, 1)
        senders = np.where(heard < 0, total, heard + numbers[:, :1])
        receivers = np.where(heard < 0, total, numbers)
        graph = np.where(heard[..., 0] < 0, graphs, np.arange(graphs)[:, None])
        nodes = inputs[..., : self.features].reshape(total, self.features)
        padded = np.concatenate([nodes, np.zeros((1, self.features))])
        return padded, senders.ravel(), receivers.ravel(), np.append(graph, graphs)

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward; the numbers of the nodes have no gradient."""
        mask, graph = run.cache[""]
        padded = np.concatenate([cotangent, np.zeros((1, cotangent.shape[1]))])
        to_nodes = back(self.head, run, gradients, padded)[graph]
        for round_ in reversed(self.rounds):
            to_nodes = round_.tell(run, gradients, to_nodes)
        to_nodes = back(self.encode, run, gradients, relu_backward(to_nodes, mask))
        to_inputs = np.zeros_like(run.inputs[""])
        to_inputs[..., : self.features] = to_nodes[:-1].reshape(*to_inputs.shape[:2], self.features)
        return to_inputs
