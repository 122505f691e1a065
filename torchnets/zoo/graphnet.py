"""Graph network."""

import torch
from torch import nn
from torch.nn import functional as F

from torchnets.layers import Generator, dense


def segment_sum(values: torch.Tensor, segments: torch.Tensor, *, num_segments: int) -> torch.Tensor:
    """Sums (num_segments, C) of those of the values (N, C) whose segment (N,) is the same; the twin of JAX's own."""
    return values.new_zeros((num_segments, values.shape[-1])).index_add(0, segments, values)


class MessagePassing(nn.Module):
    """h + ReLU(update([h, Σ ReLU(message([h, h of the sender]))])), the sum being over the edges that end at a node.

    Args:
        width: features C of a node.
        hidden: features of a message.
        init: name of the initial distribution.
        generator: source of the initial weights.
    """

    def __init__(self, width: int, hidden: int, *, init: str, generator: Generator) -> None:
        super().__init__()
        self.message = dense(2 * width, hidden, init=init, generator=generator)
        self.update = dense(width + hidden, width, init=init, generator=generator)

    def forward(self, nodes: torch.Tensor, senders: torch.Tensor, receivers: torch.Tensor) -> torch.Tensor:
        """Nodes (N, C) after one round of messages from senders (E,) to receivers (E,), the numbers of nodes."""
        edges = F.relu(self.message(torch.cat([nodes[receivers], nodes[senders]], dim=-1)))
        heard = segment_sum(edges, receivers, num_segments=nodes.shape[0])
        return nodes + F.relu(self.update(torch.cat([nodes, heard], dim=-1)))


class GraphNet(nn.Module):
    """Rounds of messages along a graph's edges, the sum over its nodes, and a dense layer: a class for each graph.

    Several graphs are read at once as one graph of several parts: the nodes of each are numbered from where those of
    the one before end. `embed` gives the features of nodes, for tasks on nodes, and `classify` takes any such list.

    Args:
        features: features F of a node.
        num_classes: number of logits.
        width: features C of a node between the rounds.
        depth: number of rounds.
        hidden: features of a message.
        init: "default" (PyTorch's `Linear`), "he" (N(0, 2/fan_in) and zero biases) or "randn".
        generator: source of the initial weights.

    Differs from the graph network of the first source: edges and the graph carry no features of their own. Source:
    https://arxiv.org/abs/1806.01261 and, for the messages, https://arxiv.org/abs/1704.01212.
    """

    def __init__(
        self,
        *,
        features: int = 3,
        num_classes: int = 10,
        width: int = 64,
        depth: int = 3,
        hidden: int = 64,
        init: str = "default",
        generator: Generator = None,
    ) -> None:
        super().__init__()
        self.features = features
        self.encode = dense(features, width, init=init, generator=generator)
        self.rounds = nn.ModuleList(MessagePassing(width, hidden, init=init, generator=generator) for _ in range(depth))
        self.head = dense(width, num_classes, init=init, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of graphs x (B, N, F + K): a node's features, then the numbers of K nodes that it hears.

        Numbers are those within the graph. A negative one is no edge, and a node whose first is negative is no node:
        graphs of unequal size are filled up with such. They belong to one node and one graph more, which are left out.
        """
        nodes, heard = x[..., : self.features], x[..., self.features :].round().long()
        graphs, size, _ = heard.shape
        total = graphs * size
        numbers = torch.arange(total, device=x.device).reshape(graphs, size, 1)
        senders = (heard + numbers[:, :1]).masked_fill(heard < 0, total)
        receivers = numbers.expand_as(heard).masked_fill(heard < 0, total)
        graph = torch.arange(graphs, device=x.device)[:, None].expand(graphs, size)
        graph = graph.masked_fill(heard[..., 0] < 0, graphs)
        nodes = F.pad(nodes.reshape(total, self.features), (0, 0, 0, 1))
        graph = torch.cat([graph.reshape(-1), graph.new_full((1,), graphs)])
        return self.classify(nodes, senders.reshape(-1), receivers.reshape(-1), graph, graphs + 1)[:graphs]

    def classify(
        self, nodes: torch.Tensor, senders: torch.Tensor, receivers: torch.Tensor, graph: torch.Tensor, graphs: int
    ) -> torch.Tensor:
        """Logits (graphs, classes) of nodes (N, F), each in the graph that `graph` (N,) numbers; see `embed`."""
        return self.head(segment_sum(self.embed(nodes, senders, receivers), graph, num_segments=graphs))

    def embed(self, nodes: torch.Tensor, senders: torch.Tensor, receivers: torch.Tensor) -> torch.Tensor:
        """Features (N, C) of nodes (N, F) whose edges run from senders (E,) to receivers (E,)."""
        nodes = F.relu(self.encode(nodes))
        for round_ in self.rounds:
            nodes = round_(nodes, senders, receivers)
        return nodes
