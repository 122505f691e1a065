"""Graph network."""

import jax
import jax.numpy as jnp
from flax import nnx
from jax.ops import segment_sum

from jaxnets.layers import dense


class MessagePassing(nnx.Module):
    """h + ReLU(update([h, Σ ReLU(message([h, h of the sender]))])), the sum being over the edges that end at a node.

    Args:
        width: features C of a node.
        hidden: features of a message.
        init: name of the initial distribution.
        rngs: source of the initial weights.
    """

    def __init__(self, width: int, hidden: int, *, init: str, rngs: nnx.Rngs) -> None:
        self.message = dense(2 * width, hidden, init=init, rngs=rngs)
        self.update = dense(width + hidden, width, init=init, rngs=rngs)

    def __call__(self, nodes: jax.Array, senders: jax.Array, receivers: jax.Array) -> jax.Array:
        """Nodes (N, C) after one round of messages from senders (E,) to receivers (E,), the numbers of nodes."""
        edges = nnx.relu(self.message(jnp.concatenate([nodes[receivers], nodes[senders]], axis=-1)))
        heard = segment_sum(edges, receivers, num_segments=nodes.shape[0])
        return nodes + nnx.relu(self.update(jnp.concatenate([nodes, heard], axis=-1)))


class GraphNet(nnx.Module):
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
        rngs: source of the initial weights.

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
        rngs: nnx.Rngs,
    ) -> None:
        self.features = features
        self.encode = dense(features, width, init=init, rngs=rngs)
        self.rounds = nnx.List(MessagePassing(width, hidden, init=init, rngs=rngs) for _ in range(depth))
        self.head = dense(width, num_classes, init=init, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Logits (B, classes) of graphs x (B, N, F + K): a node's features, then the numbers of K nodes that it hears.

        Numbers are those within the graph. A negative one is no edge, and a node whose first is negative is no node:
        graphs of unequal size are filled up with such. They belong to one node and one graph more, which are left out.
        """
        nodes, heard = x[..., : self.features], jnp.rint(x[..., self.features :]).astype(int)
        graphs, size, _ = heard.shape
        total = graphs * size
        numbers = jnp.arange(total).reshape(graphs, size, 1)
        senders = jnp.where(heard < 0, total, heard + numbers[:, :1])
        receivers = jnp.where(heard < 0, total, numbers)
        graph = jnp.where(heard[..., 0] < 0, graphs, jnp.arange(graphs)[:, None])
        nodes = jnp.pad(nodes.reshape(total, self.features), ((0, 1), (0, 0)))
        graph = jnp.append(graph.reshape(-1), graphs)
        return self.classify(nodes, senders.reshape(-1), receivers.reshape(-1), graph, graphs + 1)[:graphs]

    def classify(
        self, nodes: jax.Array, senders: jax.Array, receivers: jax.Array, graph: jax.Array, graphs: int
    ) -> jax.Array:
        """Logits (graphs, classes) of nodes (N, F), each in the graph that `graph` (N,) numbers; see `embed`."""
        return self.head(segment_sum(self.embed(nodes, senders, receivers), graph, num_segments=graphs))

    def embed(self, nodes: jax.Array, senders: jax.Array, receivers: jax.Array) -> jax.Array:
        """Features (N, C) of nodes (N, F) whose edges run from senders (E,) to receivers (E,)."""
        nodes = nnx.relu(self.encode(nodes))
        for round_ in self.rounds:
            nodes = round_(nodes, senders, receivers)
        return nodes
