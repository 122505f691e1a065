"""The frameworks' names here, and what commands and files on disk call them.

The framework of `jaxnets` is "flax" in code and in what is printed of a check. The option `--backend` says "jax", and
so do checkpoints, summaries and the study's runs on disk, which therefore mean what they meant: this is the one place
that translates.
"""

BACKENDS = {"flax": "jax"}
"""Framework → its word on the command line and on disk, where that is another one."""


def backend_of(framework: str) -> str:
    """What `--backend` and files on disk call a framework: "jax" for "flax", and all others by their names."""
    return BACKENDS.get(framework, framework)


def framework_of(backend: str) -> str:
    """The framework that `--backend` or a file on disk names: "flax" for "jax", and any other word as it is."""
    return next((framework for framework, word in BACKENDS.items() if word == backend), backend)
