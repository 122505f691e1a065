"""What the TPU compiler says of every train step, on a machine without a TPU. Estimates, never measurements."""
