"""The user's arrays: inputs, their layouts in each framework, targets and where they come from."""
