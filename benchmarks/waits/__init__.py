"""How long a person waits: from start to the first step, and to a trained network."""
