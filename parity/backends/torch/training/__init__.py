"""PyTorch networks as modules whose weights go in and out, and the runs that train them."""
