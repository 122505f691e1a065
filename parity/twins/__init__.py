"""A recipe's twins as a pair: what feeds them, what each shows, and the ladder over them."""
