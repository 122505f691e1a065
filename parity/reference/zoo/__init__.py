"""The networks beyond the study by hand, and the layers that they are made of."""
