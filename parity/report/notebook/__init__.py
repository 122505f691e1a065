"""A report in a notebook: a small page, its findings as records, and figures."""
