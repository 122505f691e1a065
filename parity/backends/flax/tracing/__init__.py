"""A user's network as a traced program: what is recorded while it is traced, and how it is evaluated in wider types."""
