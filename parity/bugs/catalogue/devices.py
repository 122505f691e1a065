"""Bugs of training on several devices; each is planted on four, whose parts of the first batch are not equal."""

from functools import partial

from parity.bugs.catalogue.bug import Bug, control
from parity.checks.devices import APART, LEFT_OUT, ONE_FOR_ALL, REPEATED

on_four, control_on_four = partial(Bug, rung=10, devices=4), partial(control, devices=4)
ALIKE = "mean of means: parts of unequal size count alike"
SUMMED = "gradients are summed over the devices, not averaged"

DEVICES: tuple[Bug, ...] = (
    on_four("ddp-statistics", "BatchNorm's statistics are each process's own: no SyncBatchNorm", "torch", "vgg",
        layer="features.0.norm", row="42", hides="one device", cause=APART),
    on_four("ddp-by-itself", "DistributedDataParallel as it comes: each process's statistics, and a mean of means",
        "torch", "vgg", layer="features.0.norm", row="42", hides="one device", cause=f"{APART}, and mean of means"),
    on_four("pmap-statistics", "BatchNorm's statistics are each device's own, as under pmap without an axis_name", "flax",
        "vgg", layer="features.0.norm", row="42", hides="one device", cause=APART),
    on_four("sync-of-means", "synchronised statistics are the mean of the parts' means and variances", "torch", "vgg",
        layer="features.0.norm", row="43", hides="equal parts without a mean of their own"),
    on_four("mean-of-means", "the loss is the mean of the processes' means, whatever their sizes", "torch", "mlp",
        layer="loss", row="137", hides="equal parts", cause=ALIKE),
    on_four("pmean-of-means", "the loss is pmean of the devices' means, whatever their sizes", "flax", "mlp",
        layer="loss", row="137", hides="equal parts", cause=ALIKE),
    on_four("summed-for-averaged", "a communication hook sums the gradients and does not divide", "torch", "rnn",
        layer="reduced gradient", row="136", hides="Adam, RMSprop and clipping", cause=SUMMED),
    on_four("grad-through-psum", "the gradient of a loss that is summed over devices is summed again", "flax", "rnn",
        layer="reduced gradient", row="138", hides="Adam, RMSprop and clipping", cause=SUMMED),
    on_four("sampler-padding", "a DistributedSampler fills up what the processes do not divide with examples again",
        "torch", "mlp", layer="parts of the batch", row="123", hides="sizes that divide", cause=REPEATED),
    on_four("padded-batch", "a batch is filled up with its first examples until the mesh divides it", "flax", "mlp",
        layer="parts of the batch", row="123", hides="sizes that divide", cause=REPEATED),
    on_four("rest-dropped", "a DistributedSampler leaves out what the processes do not divide", "torch", "mlp",
        layer="parts of the batch", row="123", hides="sizes that divide", cause=LEFT_OUT),
    on_four("one-part-for-all", "no sampler: every process takes the first part", "torch", "mlp",
        layer="parts of the batch", row="124", hides="one device", cause=ONE_FOR_ALL),
    control_on_four("interleaved", "process r takes examples r, r + N, …, as a DistributedSampler does", "torch", "vgg",
        "C0"),
    control_on_four("reduced-by-hand", "gradients are reduced by a collective operation, without a wrapper", "torch",
        "rnn", "C0"),
    control_on_four("mesh-reversed", "the mesh has its devices in reverse order", "flax", "vgg", "C0"),
)  # fmt: skip
