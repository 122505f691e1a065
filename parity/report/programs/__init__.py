"""A report for programs: the answer in a few keys, its schema, and annotations of the user's lines."""
