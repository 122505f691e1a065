"""Inputs and weights beyond the user's: what they are made of, and what both networks do with them."""
