"""The wait of a person for a trained network, from the start of the process."""
