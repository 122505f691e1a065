"""Running both networks on equal weights and equal inputs, and comparing what they show layer by layer."""
