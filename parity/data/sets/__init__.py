"""The data sets by name: a table of what each takes and how a split of it is opened."""
