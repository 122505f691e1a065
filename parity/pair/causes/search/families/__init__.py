"""Kinds of hypotheses on the forward pass: what one side may do otherwise than the other."""
