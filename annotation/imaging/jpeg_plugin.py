"""A pydicom decoding plugin for lossless and 12-bit JPEG, on imagecodecs' libjpeg-turbo.

Only `jpeg8_decode` is used: on damaged input it raises, where `ljpeg_decode` can end the process.
"""

from __future__ import annotations

from typing import Any

import imagecodecs
from pydicom import uid
from pydicom.pixels.decoders.base import (
    JPEGExtended12BitDecoder,
    JPEGLosslessDecoder,
    JPEGLosslessSV1Decoder,
)

NAME = "imagecodecs"
DECODER_DEPENDENCIES = {
    uid.JPEGExtended12Bit: ("imagecodecs",),
    uid.JPEGLossless: ("imagecodecs",),
    uid.JPEGLosslessSV1: ("imagecodecs",),
}


def is_available(syntax: str) -> bool:
    """Whether pydicom may use this plugin for a transfer syntax."""
    return syntax in DECODER_DEPENDENCIES


def _decode_frame(source: bytes, runner: Any) -> bytearray:
    """Decode one frame and tell pydicom's runner what came out."""
    pixels = imagecodecs.jpeg8_decode(source)
    runner.set_option("bits_allocated", 8 * pixels.dtype.itemsize)
    if pixels.ndim == 3:
        runner.set_option("planar_configuration", 0)
        if runner.transfer_syntax == uid.JPEGExtended12Bit:
            runner.set_option("photometric_interpretation", "RGB")
    return bytearray(pixels.tobytes())


def register() -> None:
    """Add the plugin to pydicom's decoders; a second call does nothing."""
    for decoder in (
        JPEGExtended12BitDecoder,
        JPEGLosslessDecoder,
        JPEGLosslessSV1Decoder,
    ):
        if NAME not in decoder.available_plugins:
            decoder.add_plugin(NAME, (__name__, "_decode_frame"))
