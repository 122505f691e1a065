"""Data as NumPy arrays: the same bytes for every framework; nothing here imports one."""

from parity.data.batch import Batch, Inputs, as_arguments
from parity.data.image_sets import load_images
from parity.data.images import ImageSet
from parity.data.sets.table import DATA_NAMES
from parity.data.stream import Stream, open_stream

__all__ = ["DATA_NAMES", "Batch", "ImageSet", "Inputs", "Stream", "as_arguments", "load_images", "open_stream"]
