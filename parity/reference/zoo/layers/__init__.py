"""The layers that the networks of the zoo are made of, by hand."""
