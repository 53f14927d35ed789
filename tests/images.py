"""Images made for tests: real files in every format the product reads, from arrays that the test knows."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import PIL.ImageCms
import PIL.PngImagePlugin
import pydicom
from pydicom import uid
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate

CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
CAPTURE_CLASS = "1.2.840.10008.5.1.4.1.1.7"

JPEG_LOSSLESS = {uid.JPEGLossless, uid.JPEGLosslessSV1}


def ramp(rows: int = 64, columns: int = 64, *, top: int = 4095, dtype: str = "uint16") -> np.ndarray:
    """0..top spread over all pixels in reading order: every value is known, neighbors differ."""
    count = rows * columns
    return (np.arange(count) * (top + 1) // count).reshape(rows, columns).astype(dtype)


def texture(
    rows: int = 48, columns: int = 64, *, top: int = 4095, dtype: str = "uint16", seed: int = 7
) -> np.ndarray:
    """Smooth waves with a little noise, as pictures have: 0..top."""
    y, x = np.mgrid[0:rows, 0:columns]
    waves = 0.5 + 0.3 * np.sin(x / 7.0) * np.cos(y / 5.0)
    noise = np.random.default_rng(seed).normal(0, 0.03, (rows, columns))
    return np.clip((waves + noise) * top, 0, top).astype(dtype)


def photograph(rows: int = 48, columns: int = 64, *, seed: int = 3) -> np.ndarray:
    """A colored picture, (rows, columns, 3) of uint8."""
    channels = [texture(rows, columns, top=255, dtype="uint8", seed=seed + index) for index in range(3)]
    return np.stack([channels[0], channels[1] // 2 + 60, channels[2] // 3], axis=-1)


def save_png(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    """A PNG, or whatever format the suffix of `path` names, by Pillow."""
    PIL.Image.fromarray(pixels).save(path, **options)
    return path


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(path: Path, side: int) -> Path:
    """A one-bit PNG of side × side pixels, about 1/8000 of that on disk."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    row = b"\0" * (side // 8 + 1)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    parts = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", body), png_chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def srgb_like_profile(gamma_name: str = "XYZ") -> bytes:
    """An ICC profile that is not sRGB."""
    return PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile(gamma_name)).tobytes()


def dicom(pixels: np.ndarray, **attributes: Any) -> FileDataset:
    """A CT (or, for color, secondary capture) data set around native little-endian pixels.

    `pixels` is (rows, columns), (frames, rows, columns), or with 3 channels at the end and uint8 samples.
    Attributes replace or add elements; None leaves one out.
    """
    color = pixels.ndim >= 3 and pixels.shape[-1] == 3 and pixels.dtype == np.uint8
    spatial = pixels.shape[:-1] if color else pixels.shape
    frames = spatial[0] if len(spatial) == 3 else 1
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CAPTURE_CLASS if color else CT_CLASS
    meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
    data = FileDataset(None, {}, preamble=b"\0" * 128, file_meta=meta)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, "1.2.3.4.5"
    data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    data.Modality = "OT" if color else "CT"
    data.SamplesPerPixel = 3 if color else 1
    data.PhotometricInterpretation = "RGB" if color else "MONOCHROME2"
    if color:
        data.PlanarConfiguration = 0
    if frames > 1:
        data.NumberOfFrames = frames
    data.Rows, data.Columns = spatial[-2:]
    bits = pixels.dtype.itemsize * 8
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    raw = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<")).tobytes()
    data.add_new("PixelData", "OB" if bits == 8 else "OW", raw + b"\0" * (len(raw) % 2))
    for keyword, value in attributes.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    return data


def save_dicom(path: Path, data: FileDataset) -> Path:
    """Write a data set in the transfer syntax of its meta information."""
    if data.file_meta.TransferSyntaxUID == uid.ExplicitVRBigEndian and data.BitsAllocated == 16:
        data.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()
    pydicom.dcmwrite(path, data, enforce_file_format=True)
    return path


def compressed(data: FileDataset, syntax: str) -> FileDataset:
    """The same data set with its frames encoded losslessly by imagecodecs (RLE by pydicom)."""
    frames = int(data.get("NumberOfFrames", 1))
    kind = np.dtype(("<i" if data.PixelRepresentation else "<u") + str(data.BitsAllocated // 8))
    color = (3,) if data.SamplesPerPixel == 3 else ()
    pixels = np.frombuffer(data.PixelData, kind).reshape(frames, data.Rows, data.Columns, *color)
    if syntax == uid.RLELossless:
        data.compress(uid.RLELossless, pixels if frames > 1 else pixels[0], generate_instance_uid=False)
        return data
    data.file_meta.TransferSyntaxUID = uid.UID(syntax)
    data.PixelData = encapsulate([codestream(frame, syntax) for frame in pixels])
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    return data


def codestream(frame: np.ndarray, syntax: str) -> bytes:
    """One frame in a compressed syntax."""
    unsigned = frame.view(frame.dtype.str.replace("i", "u"))
    if syntax in JPEG_LOSSLESS:
        return bytes(imagecodecs.jpeg8_encode(unsigned, lossless=True))
    if syntax in (uid.JPEGLSLossless, uid.JPEGLSNearLossless):
        return bytes(imagecodecs.jpegls_encode(unsigned))
    if syntax == uid.JPEGBaseline8Bit:
        return bytes(imagecodecs.jpeg8_encode(frame, level=95))
    if syntax == uid.JPEGExtended12Bit:
        return bytes(imagecodecs.jpeg8_encode(unsigned, level=100, bitspersample=12))
    if syntax in (uid.HTJ2KLossless, uid.HTJ2K, uid.HTJ2KLosslessRPCL):
        return bytes(imagecodecs.htj2k_encode(frame))
    return bytes(imagecodecs.jpeg2k_encode(frame, level=0, codecformat="j2k", reversible=True, mct=False))


def sequence_item(**attributes: Any) -> Dataset:
    """One item of a DICOM sequence."""
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def nifti(
    voxels: np.ndarray,
    *,
    order: str = "<",
    slope: float = 1.0,
    intercept: float = 0.0,
    spacing: tuple[float, ...] = (1.0, 1.0, 1.0),
    **fields: Any,
) -> bytes:
    """A NIfTI-1 file; `voxels` has axes (columns, rows, slices[, volumes]) as nibabel shows them.

    Fields that are replaced raw: dim, datatype, vox_offset, texts (bytes for descrip, aux_file, db_name,
    intent_name), extension (bytes), srow (12 numbers).
    """
    codes = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "c8": 32}
    head = bytearray(348)
    dim = fields.get("dim") or [voxels.ndim, *voxels.shape, *[1] * (7 - voxels.ndim)]
    struct.pack_into(order + "i", head, 0, 348)
    struct.pack_into(order + "8h", head, 40, *dim)
    code = fields.get("datatype", codes[voxels.dtype.str[1:]])
    struct.pack_into(order + "2h", head, 70, code, voxels.dtype.itemsize * 8)
    struct.pack_into(order + "8f", head, 76, 1.0, *spacing, *[0.0] * (7 - len(spacing)))
    extension = fields.get("extension", b"")
    offset = fields.get("vox_offset", 352 + (8 + len(extension) if extension else 0))
    struct.pack_into(order + "3f", head, 108, offset, slope, intercept)
    head[123] = 2
    if "srow" in fields:
        struct.pack_into(order + "h", head, 254, 1)
        struct.pack_into(order + "12f", head, 280, *fields["srow"])
    for name, (start, size) in {
        "descrip": (148, 80), "aux_file": (228, 24), "db_name": (14, 18), "intent_name": (328, 16),
    }.items():  # fmt: skip
        text = fields.get("texts", {}).get(name, b"")
        head[start : start + size] = text.ljust(size, b"\0")[:size]
    head[344:348] = b"n+1\0"
    block = b"\1\0\0\0" + struct.pack(order + "2i", 8 + len(extension), 6) + extension if extension else b"\0" * 4
    raw = np.asarray(voxels, dtype=voxels.dtype.newbyteorder(order)).tobytes(order="F")
    return bytes(head) + block + raw


def tiff_bytes(pixels: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(pixels).save(out, format="TIFF", **options)
    return out.getvalue()
