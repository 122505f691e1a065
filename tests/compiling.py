"""How the tests' own process compiles."""

QUICKLY = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
"""XLA's flags: what tests compute runs a few times, so that it is not worth optimising."""
