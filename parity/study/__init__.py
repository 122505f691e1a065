"""The study, trained again: each experiment in every framework, its figures, and a verdict on each of its claims."""
