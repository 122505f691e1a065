"""Image folders as data: a tree of classes, in a folder or a zip, decoded once into a cache of uint8 arrays."""
