"""How the layers and arrays of two networks are paired: by names, by the order in which they run, by their shapes."""
