"""A script that shows the first difference again, without this package."""
