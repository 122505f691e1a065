"""Bugs planted in the PyTorch twins of the zoo: each is the twin with one small method or layer replaced."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.distributions import Categorical
from torch.nn import functional as F

import torchnets
from parity.backends.torch.twin import TorchTwin
from parity.bugs.torch_planting import loss_changed, model_changed, of_class
from torchnets.layers import Attention, GroupedAttention, RoutedFeedForward, rotate
from torchnets.zoo.graphnet import MessagePassing

Tensor = torch.Tensor


def every(cls: type, change: Callable[[Any], None]) -> type[TorchTwin]:
    """The twin with all its modules of one class changed."""

    def change_all(model: nn.Module) -> None:
        for module in model.modules():
            if type(module) is cls:
                change(module)

    return model_changed(change_all)


class _ScaledBefore(Attention):
    def forward(self, x: Tensor, there: Tensor | None = None) -> Tensor:
        scale = (x.shape[-1] // self.heads) ** -0.5
        query, key, value = self.split(self.query(x * scale)), self.split(self.key(x)), self.split(self.value(x))
        shares = torch.einsum("bthd,bshd->bhts", query, key).softmax(-1)
        return self.out(torch.einsum("bhts,bshd->bthd", shares, value).reshape(x.shape))


class _ByHand(Attention):
    def forward(self, x: Tensor, there: Tensor | None = None) -> Tensor:
        scale = (x.shape[-1] // self.heads) ** -0.5
        query, key, value = self.split(self.query(x) * scale), self.split(self.key(x)), self.split(self.value(x))
        shares = torch.einsum("bthd,bshd->bhts", query, key).softmax(-1)
        return self.out(torch.einsum("bhts,bshd->bthd", shares, value).reshape(x.shape))


class _MeanOfTokens(torchnets.ViT):
    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), 1, -1), x], dim=1) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


class _FromOne(torchnets.GPT2):
    def forward(self, tokens: Tensor) -> Tensor:
        x = self.token(tokens) + self.position(1 + torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.token.weight)


class _DetachedHead(torchnets.GPT2):
    def forward(self, tokens: Tensor) -> Tensor:
        x = self.token(tokens) + self.position(torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.token.weight.detach())


def _per_text(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten(), reduction="sum") / len(labels)


class _Neighbours(GroupedAttention):
    def turned(self, x: Tensor, start: int) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        return _in_pairs(query, self.theta), _in_pairs(key, self.theta), value


def _in_pairs(x: Tensor, theta: float) -> Tensor:
    """Feature 2i is turned with feature 2i + 1, as in the paper, and not with that of the other half."""
    first_half = x.unflatten(-1, (-1, 2)).transpose(-1, -2).flatten(-2)
    return rotate(first_half, theta=theta).unflatten(-1, (2, -1)).transpose(-1, -2).flatten(-2)


class _TurnedFromOne(GroupedAttention):
    def turned(self, x: Tensor, start: int) -> tuple[Tensor, Tensor, Tensor]:
        return super().turned(x, start + 1)


class _SoftmaxOfChosen(RoutedFeedForward):
    def choose(self, shares: Tensor) -> tuple[Tensor, Tensor]:
        shares, chosen = super().choose(shares)
        return shares.log().softmax(-1), chosen


class _AllExperts(RoutedFeedForward):
    def mix(self, rows: Tensor, shares: Tensor, chosen: Tensor) -> Tensor:
        every = torch.zeros(len(rows), len(self.gate), dtype=rows.dtype).scatter(1, chosen, shares)
        hidden = F.silu(torch.einsum("nc,ech->neh", rows, self.gate)) * torch.einsum("nc,ech->neh", rows, self.hidden)
        return torch.einsum("ne,neh,ehc->nc", every, hidden, self.out)


class _Pooled(torchnets.ResNet):
    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = x if self.pool is None else self.pool(x)
        for block in self.blocks:
            x = block(x)
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class _LastMessage(MessagePassing):
    def forward(self, nodes: Tensor, senders: Tensor, receivers: Tensor) -> Tensor:
        edges = F.relu(self.message(torch.cat([nodes[receivers], nodes[senders]], dim=-1)))
        places = torch.arange(len(receivers), device=nodes.device)
        last = torch.zeros(len(nodes), dtype=torch.int64, device=nodes.device).scatter_reduce(
            0, receivers, places, "amax", include_self=False
        )
        heard = nodes.new_zeros((len(nodes), edges.shape[-1])).index_put((receivers[last],), edges[last])
        return nodes + F.relu(self.update(torch.cat([nodes, heard], dim=-1)))


class _WithoutOffsets(torchnets.GraphNet):
    def classify(self, nodes: Tensor, senders: Tensor, receivers: Tensor, graph: Tensor, graphs: int) -> Tensor:
        missing, size = len(nodes) - 1, (len(nodes) - 1) // (graphs - 1)
        within = torch.where(senders == missing, missing, senders % size)
        return super().classify(nodes, within, receivers, graph, graphs)


class _ByScattering(MessagePassing):
    def forward(self, nodes: Tensor, senders: Tensor, receivers: Tensor) -> Tensor:
        edges = F.relu(self.message(torch.cat([nodes[receivers], nodes[senders]], dim=-1)))
        empty = nodes.new_zeros((len(nodes), edges.shape[-1]))
        heard = empty.scatter_add(0, receivers[:, None].expand_as(edges), edges)
        return nodes + F.relu(self.update(torch.cat([nodes, heard], dim=-1)))


def _policy_loss(outputs: Tensor, rollout: Tensor) -> Tensor:
    policy = Categorical(logits=outputs[:, :-1])
    ratio = (policy.log_prob(rollout[:, 0]) - rollout[:, 1]).exp()
    gained = -torch.min(rollout[:, 2] * ratio, rollout[:, 2] * ratio.clamp(0.8, 1.2)).mean()
    return gained - 0.01 * policy.entropy().mean()


def _value_losses(value: Tensor, rollout: Tensor) -> tuple[Tensor, Tensor]:
    near = rollout[:, 4] + (value - rollout[:, 4]).clamp(-0.2, 0.2)
    return (value - rollout[:, 3]) ** 2, (near - rollout[:, 3]) ** 2


def _by_distribution(outputs: Tensor, rollout: Tensor) -> Tensor:
    return _policy_loss(outputs, rollout) + 0.25 * torch.max(*_value_losses(outputs[:, -1], rollout)).mean()


def _all_against_all(outputs: Tensor, rollout: Tensor) -> Tensor:
    return _policy_loss(outputs, rollout) + 0.25 * torch.max(*_value_losses(outputs[:, -1:], rollout)).mean()


def _smaller_error(outputs: Tensor, rollout: Tensor) -> Tensor:
    return _policy_loss(outputs, rollout) + 0.25 * torch.min(*_value_losses(outputs[:, -1], rollout)).mean()


PLANTED: dict[str, type[TorchTwin]] = {
    "vit-norm-epsilon": every(nn.LayerNorm, lambda norm: setattr(norm, "eps", 1e-5)),
    "vit-scaled-before": every(Attention, lambda module: setattr(module, "__class__", _ScaledBefore)),
    "vit-pool": of_class("", _MeanOfTokens),
    "gpt2-position-from-1": of_class("", _FromOne),
    "gpt2-head-detached": of_class("", _DetachedHead),
    "gpt2-loss-per-text": loss_changed(_per_text),
    "llama-neighbours": every(GroupedAttention, lambda module: setattr(module, "__class__", _Neighbours)),
    "llama-norm-epsilon": every(nn.RMSNorm, lambda norm: setattr(norm, "eps", None)),
    "llama-from-1": every(GroupedAttention, lambda module: setattr(module, "__class__", _TurnedFromOne)),
    "moe-softmax-of-chosen": every(RoutedFeedForward, lambda module: setattr(module, "__class__", _SoftmaxOfChosen)),
    "moe-all-experts": every(RoutedFeedForward, lambda module: setattr(module, "__class__", _AllExperts)),
    "actorcritic-values-broadcast": loss_changed(_all_against_all),
    "actorcritic-smaller-error": loss_changed(_smaller_error),
    "actorcritic-by-distribution": loss_changed(_by_distribution),
    "graphnet-last-message": every(MessagePassing, lambda module: setattr(module, "__class__", _LastMessage)),
    "graphnet-no-offsets": of_class("", _WithoutOffsets),
    "graphnet-by-scattering": every(MessagePassing, lambda module: setattr(module, "__class__", _ByScattering)),
    "resnet-bn-eps-keras": every(nn.BatchNorm2d, lambda norm: setattr(norm, "eps", 1.001e-5)),
    "resnet-bn-momentum": every(nn.BatchNorm2d, lambda norm: setattr(norm, "momentum", 0.9)),
    "resnet-adaptive-pool": of_class("", _Pooled),
    "vit-by-hand": every(Attention, lambda module: setattr(module, "__class__", _ByHand)),
}
