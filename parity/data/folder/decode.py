"""One image file's bytes as an array of RGB values, by Pillow."""

import warnings
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import require_package
from parity.errors import UsageError

MOST_PIXELS = 64_000_000
"""Largest number of pixels of one image, since a file of a few bytes can claim to hold more than the memory does."""
NOT_READ = ("EPS",)
"""Formats that Pillow reads only by starting another program, Ghostscript, on the file."""


def decode(data: bytes, path: str, size: int | None) -> NDArray[np.uint8]:
    """Decode an image, of several in a file the first, turned as its EXIF orientation says.

    Greyscale gets three equal channels, of 16 bits the upper eight stay, transparency is dropped. Where a size is
    asked for and the image is not of it, its largest centred square is resampled with Pillow's Lanczos filter, whose
    support grows with the factor of reduction, so that it is antialiased.

    Args:
        data: the bytes of the file.
        path: the file's name in messages.
        size: height and width of the result in pixels; None leaves the image as it is.

    Returns:
        uint8 (H, W, 3).

    Raises:
        UsageError: it is no image that Pillow reads, or truncated, damaged, or too large.
    """
    require_package("PIL", "a folder of images")
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata that does not matter here; sizes are checked below
            with Image.open(BytesIO(data), formats=_formats()) as image:
                _require_moderate(image.size, path)
                rgb = _rgb(ImageOps.exif_transpose(image))
                if size is not None and rgb.size != (size, size):
                    rgb = ImageOps.fit(rgb, (size, size), Image.Resampling.LANCZOS)
                return np.asarray(rgb)
    except UsageError:
        raise
    except Image.DecompressionBombError as error:  # Pillow looks before we can
        raise UsageError(f"{path} says that it has far more than {MOST_PIXELS:,} pixels; remove it") from error
    except Image.UnidentifiedImageError:
        raise UsageError(f"{path} is no image that Pillow reads; remove it") from None
    except Exception as error:  # a file that is not what it seems can raise anything
        raise UsageError(f"{path} is a damaged image: {error}; get it again, or remove it") from error


def pillow() -> str:
    """Pillow's version, which decides what a file decodes to."""
    require_package("PIL", "a folder of images")
    import PIL

    return PIL.__version__


@cache
def _formats() -> list[str]:
    from PIL import Image

    Image.init()
    return [name for name in Image.OPEN if name not in NOT_READ]


def _require_moderate(size: tuple[int, int], path: str) -> None:
    width, height = size
    if width * height > MOST_PIXELS:
        raise UsageError(f"{path} says that it has {width}×{height} pixels, more than {MOST_PIXELS:,}; make it smaller")


def _rgb(image: Any) -> Any:
    if image.mode.startswith("I"):  # Pillow's own conversion cuts at 255
        from PIL import Image

        return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    return image.convert("RGB")
