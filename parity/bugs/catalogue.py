"""The planted bugs as data. `row` is the row (or the section) of the list of real bugs that each is taken from.

A bug must be caught at `rung`, with `layer` named and `verdict` given. A control is the same function by another
way: every rung must say *same*.
"""

from dataclasses import dataclass
from typing import Literal

from parity.checks.verdict import Verdict
from parity.errors import unknown_name


@dataclass(frozen=True)
class Bug:
    """One planted bug.

    Args:
        id: its name.
        mechanism: what is wrong, in one line.
        side: framework in which it is planted.
        pair: small network in which it is planted.
        rung: where it must be caught; 0 for a control.
        layer: what must be named.
        row: where it is documented.
        hides: what makes it invisible.
        verdict: what the rung must say.
    """

    id: str
    mechanism: str
    side: Literal["jax", "torch"]
    pair: str
    rung: int
    layer: str
    row: str
    hides: str = ""
    verdict: Verdict = Verdict.DIFFERENT

    @property
    def is_control(self) -> bool:
        """Whether it is a negative control."""
        return self.rung == 0


def _control(id: str, mechanism: str, side: Literal["jax", "torch"], pair: str, row: str) -> Bug:
    return Bug(id, mechanism, side, pair, 0, "", row, verdict=Verdict.SAME)


BUGS: tuple[Bug, ...] = (
    # 1 structure
    Bug("input-bias", "the input map of the RNN has a bias too", "torch", "rnn", 1, "hx", "8", "zero biases"),
    Bug("no-conv-bias", "the first convolution has no bias", "torch", "vgg", 1, "features.0.conv", "16", "zero biases"),
    Bug("no-statistics", "a BatchNorm keeps no running statistics", "torch", "vgg", 1, "features.2.norm", "16"),
    # 2 forward
    Bug("not-transposed", "a square dense kernel is moved without transposing", "torch", "rnn", 2, "hh", "1",
        "symmetric kernels"),
    Bug("kernel-.T", "a conv kernel is moved with .T: height and width swap", "jax", "vgg", 2, "features.0.conv", "2",
        "symmetric kernels"),
    Bug("flatten-order", "flatten in H, W, C order on an 8×8 grid", "jax", "vgg", 2, "flatten", "4", "a 1×1 grid"),
    Bug("pool-same", "strided max-pool pads SAME, not (1, 1)", "jax", "vgg", 2, "features.1", "26", "odd sizes"),
    Bug("bn-eps-1e-3", "BatchNorm epsilon 1e-3 for 1e-5", "torch", "vgg", 2, "features.0.norm", "45", "large variance"),
    Bug("bn-eps-1.01e-5", "BatchNorm epsilon 1.01e-5 for 1e-5", "torch", "vgg", 2, "features.0.norm", "45",
        "float32 rounding"),
    Bug("bn-ddof", "BatchNorm normalises by the unbiased variance", "jax", "vgg", 2, "features.0.norm", "65", "large n"),
    Bug("scale-plus-1", "BatchNorm's scale is stored as w and applied as 1 + w", "torch", "vgg", 2, "features.0.norm",
        "15", "a fresh network"),
    Bug("stuck-in-eval", "BatchNorm ignores train()", "torch", "vgg", 2, "features.0.norm", "T9", "evaluation mode"),
    Bug("wrong-activation", "leaky ReLU for ReLU", "torch", "mlp", 2, "input of layers.1", "52", "positive inputs"),
    Bug("first-state", "the RNN starts from h = 1, not 0", "torch", "rnn", 2, "input of hh", "9", "a long sequence"),
    Bug("gates-z-r", "a GRU's gates are moved in the order z, r, n", "torch", "gru", 2, "cell.hx", "7", "equal gates"),
    Bug("one-bias", "a GRU's two biases are summed into one, that of the input", "jax", "gru", 2, "cell.hx", "10",
        "zero biases"),
    Bug("reset-before", "the reset gate scales h before the product, not after", "jax", "gru", 2, "cell", "11",
        "a first step from 0"),
    Bug("update-flipped", "the update gate keeps 1 − z of the state, not z", "torch", "gru", 2, "cell", "11", "z = 1/2"),
    Bug("bf16-matmul", "float32 matrix products take bfloat16 operands", "torch", "mlp", 2, "layers.0", "129",
        "float64", Verdict.LESS_ACCURATE),
    Bug("float32-inside", "a layer computes in float32 whatever it is given", "torch", "mlp", 2, "layers.1", "133",
        "float32", Verdict.INCONCLUSIVE),
    # 3 loss and gradients
    Bug("loss-sum", "the loss is summed over the batch, not averaged", "torch", "points", 3, "loss", "58",
        "Adam, RMSprop and clipping"),
    Bug("gradients-x8", "gradients are summed over 8 devices, not averaged", "torch", "vgg", 3, "training gradients",
        "136", "Adam, RMSprop and clipping"),
    Bug("label-shift", "the labels are shifted by one", "torch", "rnn", 3, "loss", "56"),
    Bug("label-smoothing", "the loss smooths labels by 0.1", "torch", "mlp", 3, "loss", "55", "accuracy"),
    Bug("softmax-axis", "softmax over the batch, not over the classes", "torch", "rnn", 3, "loss", "63"),
    Bug("detached-statistics", "BatchNorm's backward takes the batch statistics as constants", "jax", "vgg", 3,
        "features.2.norm", "40", "every forward comparison"),
    Bug("pool-ties", "max-pool shares the gradient among ties", "jax", "vgg", 3, "features.3", "101", "no ties"),
    Bug("pool-zero-pad", "max-pool pads with 0, not −∞: ties with ReLU's zeros lose their gradient", "jax", "vgg", 3,
        "features.3", "28", "the forward pass after a ReLU"),
    # 4 state
    Bug("bn-momentum-0.9", "BatchNorm momentum 0.9 for 0.1, the other library's convention", "torch", "vgg", 4,
        "features.0.norm.running_mean", "36", "all but the statistics"),
    Bug("bn-momentum-default", "BatchNorm keeps 0.99, Flax's default", "jax", "vgg", 4, "features.0.norm.running_mean",
        "37", "more than 1,000 steps"),
    Bug("bn-biased", "the running variance is biased", "jax", "vgg", 4, "features.0.norm.running_var", "38", "large n"),
    Bug("statistics-twice", "each pass updates the statistics twice", "torch", "vgg", 4, "features.0.norm.running_mean",
        "39", "all but the statistics"),
    # 5 update
    Bug("rmsprop-eps-inside", "RMSprop's epsilon is inside the root", "jax", "rnn", 5, "parameter.kernel after step 1",
        "69", "large gradients"),
    Bug("rmsprop-decay", "RMSprop's decay is optax's default 0.9", "jax", "rnn", 5, "parameter.kernel after step 1", "70"),
    Bug("rmsprop-start", "RMSprop's mean square starts at 1", "jax", "rnn", 5, "parameter.kernel after step 1", "71",
        "late steps"),
    Bug("adamw", "the decay is decoupled, not L2", "torch", "mlp", 5, "parameter.kernel after step 1", "73", "no decay"),
    Bug("adam-eps", "Adam's epsilon is 1e-5", "torch", "mlp", 5, "parameter.kernel after step 1", "75", "large gradients"),
    Bug("adam-eps-root", "Adam's epsilon is under the root too", "jax", "mlp", 5, "parameter.kernel after step 1", "76",
        "large gradients"),
    Bug("adam-eps-hat", "Adam's epsilon is added before the bias correction", "jax", "mlp", 5,
        "parameter.kernel after step 1", "77", "late steps"),
    Bug("clip-exact", "clipping without the 1e-6", "jax", "rnn", 5, "square_avg.kernel after step 1", "86",
        "gradients that are not clipped"),
    Bug("clip-after", "clipping after the adaptive step", "jax", "rnn", 5, "parameter.kernel after step 1", "86",
        "updates that are not clipped"),
    Bug("sgd-dampening", "momentum with dampening", "torch", "points, momentum", 5, "parameter.kernel after step 2", "82",
        "step 1"),
    # 6 trajectory
    Bug("gradients-pile-up", "gradients are not set to zero between steps", "torch", "points", 6, "step 3", "M4",
        "step 1"),
    Bug("trains-in-eval", "training steps run in evaluation mode", "torch", "vgg", 6, "step 1", "T9",
        "all rungs that set the mode"),
    Bug("rate-one-late", "the learning rate follows the schedule one step late", "torch", "rnn", 6, "step 3", "91",
        "a constant rate"),
    Bug("moments-reset", "the optimizer's moments start anew each step", "torch", "mlp", 6, "step 3", "M4", "step 1"),
    # 7 initialisation
    Bug("flax-init", "Flax's default init: LeCun normal and zero biases", "jax", "mlp", 7, "layers.0.kernel", "106",
        "weights that are transferred"),
    Bug("truncated-init", "normal init cut at two standard deviations", "torch", "points, randn", 7, "layers.0.kernel",
        "107", "a loose test of the deviation"),
    Bug("fan-in-axes", "fan_in is taken from the output axis", "torch", "vgg", 7, "features.0.conv.kernel", "111",
        "square layers"),
    Bug("orthogonal-whole", "one matrix with orthonormal columns for all gates together", "torch", "gru", 7,
        "cell.hh.kernel", "110", "one gate"),
    Bug("normal-not-orthogonal", "recurrent weights are normal with the variance of orthogonal ones", "jax",
        "rnn, one-hot", 7, "hh.kernel", "110", "a test of the entries alone"),
    # 8 data
    Bug("same-order", "every epoch has the order of the first", "torch", "mlp", 8, "epoch 1 step 0", "124", "one epoch"),
    Bug("pixels-0-255", "pixels are scaled to 0–255 in one pipeline", "torch", "mlp", 8, "epoch 0 step 0", "119",
        "the other split"),
    Bug("uint8-arithmetic", "the mean is subtracted in uint8, which wraps", "torch", "mlp", 8, "epoch 0 step 0", "121"),
    Bug("labels-in-feed", "the pipeline counts labels from 1", "torch", "points", 8, "epoch 0 step 0", "56"),
    Bug("one-hot-from-1", "digits counted from 1 made one-hot: 9 is out of range and becomes a row of zeros", "jax",
        "rnn, one-hot", 8, "epoch 0 step 0", "56", "no error in JAX"),
    # Controls
    _control("log-softmax-twice", "log-softmax is applied twice before the loss", "torch", "rnn", "C0"),
    _control("flatten-1x1", "flatten in H, W, C order on a 1×1 grid", "jax", "vgg, 1×1", "4"),
    _control("conv-same", "SAME for padding 1 in a convolution of stride 1", "jax", "vgg", "25"),
    _control("two-pass-variance", "variance as the mean of squared deviations", "jax", "vgg", "C0"),
    _control("fast-variance", "variance as E[x²] − E[x]² at means near 0", "jax", "vgg", "41"),
    _control("adam-by-parts", "Adam with L2 as add_decayed_weights, scale_by_adam, scale", "jax", "mlp", "C0"),
    _control("rmsprop-by-parts", "RMSprop as scale_by_rms and scale", "jax", "rnn", "C0"),
    _control("foreach", "PyTorch's foreach Adam", "torch", "mlp", "C0"),
    _control("channels-last", "PyTorch's channels_last memory format", "torch", "vgg", "C0"),
    _control("python-loop", "the RNN as a Python loop, not a scan", "jax", "rnn", "C0"),
    _control("tanh-by-sigmoid", "tanh(x) as 2σ(2x) − 1", "torch", "rnn", "C0"),
    _control("state-by-difference", "a GRU's new state as n + z·(h − n)", "torch", "gru", "C0"),
    _control("orthogonal-by-svd", "orthogonal weights as U·Vᵀ of a normal matrix", "torch", "rnn, one-hot", "C0"),
    _control("log-sum-exp", "cross-entropy as log-sum-exp minus the label's logit", "torch", "points", "C0"),
)  # fmt: skip


def chosen(ids: list[str]) -> list[Bug]:
    """The bugs of those names, all if there are none.

    Raises:
        UsageError: a name is not known.
    """
    by_id = {bug.id: bug for bug in BUGS}
    for name in ids:
        if name not in by_id:
            raise unknown_name("bug", name, by_id)
    return [by_id[name] for name in ids] or list(BUGS)
