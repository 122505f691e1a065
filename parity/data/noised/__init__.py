"""Images with noise in them, which a diffusion model is to find."""
