"""The study's image networks: what is trained, what came of it, and the claims held against that."""
