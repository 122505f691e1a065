"""Several causes of one pair, which are peeled off one after the other."""
