"""The TPU compiler's estimates of every train step, made without a TPU; nothing is measured."""
