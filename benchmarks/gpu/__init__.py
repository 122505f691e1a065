"""All that a GPU is asked to do: `python -m benchmarks gpu`, in parts that are each a fresh process and a file."""
