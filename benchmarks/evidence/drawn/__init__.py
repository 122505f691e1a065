"""Random networks that both frameworks build from the same data, correct or with one bug."""
