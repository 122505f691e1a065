"""What an agent sees, does and earns in an environment, gathered in NumPy for every framework alike."""
