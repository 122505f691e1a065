"""The networks that predict the noise in an image by hand, and what they are made of."""
