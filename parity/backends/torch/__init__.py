"""Everything that imports PyTorch: twins of recipes and sides of users' networks."""
