"""The gallery: pairs that nobody here wrote, their truths, and what the tool says of them."""
