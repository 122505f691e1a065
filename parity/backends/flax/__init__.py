"""Everything that imports JAX, Flax and Optax: twins of recipes and sides of users' networks."""
