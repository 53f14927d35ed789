"""Hostile picture files, one maker per row of the list of threats; what is expected of each stands beside it.

`CASES` maps the row's id to cases. A case that is `refused` names the reason code and a part of the sentence; one
that is accepted names the flags its asset must carry.
"""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pydicom
from pydicom import uid
from pydicom.data import get_testdata_file
from pydicom.filewriter import write_file_meta_info

from tests import images

PDF_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"
SCRIPT = b"<script>alert('CANARY')</script>"


@dataclass(frozen=True)
class Case:
    """One hostile file.

    Attributes:
        name: short, unlike all others; the file is called after it.
        make: its bytes.
        reason: code of the refusal; "" when the picture is accepted.
        words: part of the sentence of the refusal.
        flags: what the asset of an accepted picture must carry.
    """

    name: str
    make: Callable[[], bytes]
    reason: str = ""
    words: str = ""
    flags: tuple[str, ...] = ()


def written(data: pydicom.dataset.FileDataset) -> bytes:
    out = io.BytesIO()
    pydicom.dcmwrite(out, data, enforce_file_format=True)
    return out.getvalue()


def small(**attributes: Any) -> bytes:
    return written(images.dicom(images.ramp(8, 8), **attributes))


def textured(**attributes: Any) -> bytes:
    return written(images.dicom(images.texture(16, 16), **attributes))


def meta_end(data: bytes) -> int:
    return 144 + int(struct.unpack_from("<I", data, 140)[0])


def large_rows() -> bytes:
    data = images.dicom(images.ramp(8, 8), Rows=None)
    data.add_new(0x00280010, "UL", 4294967295)
    return written(data)


def frames_in_letters() -> bytes:
    return small(NumberOfFrames=42).replace(b"IS\x02\x0042", b"IS\x02\x00ab")


def deflated_bomb(size: int, *, in_pixels: bool) -> bytes:
    """A deflated file of an 8 × 8 picture that inflates to `size` bytes."""
    body = small()[meta_end(small()) :]
    data = images.dicom(images.ramp(8, 8))
    data.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    head = written(data)
    pixels = body.index(b"\xe0\x7f\x10\x00OW")
    long = struct.pack("<I", size)
    start = body[:pixels] + b"\xe0\x7f\x10\x00OW\0\0" + long if in_pixels else body + b"\xfc\xff\xfc\xffOB\0\0" + long
    return head[: meta_end(head)] + deflated_zeros(start, size)


def deflated_zeros(start: bytes, size: int) -> bytes:
    """A raw deflate stream of `start` and `size` zeros; one block of a MiB is made and repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + block * (size >> 20) + packer.flush()


def nested(depth: int, *, undefined: bool) -> bytes:
    inner = b""
    for _ in range(depth):
        if undefined:
            item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + inner + b"\xfe\xff\x0d\xe0\0\0\0\0"
            inner = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
        else:
            item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inner)) + inner
            inner = b"\x08\x00\x40\x11SQ\0\0" + struct.pack("<I", len(item)) + item
    whole = small()
    at = whole.index(b"\x20\x00\x0d\x00UI")
    return whole[:at] + inner + whole[at:]


def public(name: str) -> bytes:
    found = get_testdata_file(name, download=False)
    if found is None:
        folder = Path(str(get_testdata_file("MR_small.dcm", download=False))).parent
        return (folder / name).read_bytes()
    return Path(str(found)).read_bytes()


def of_syntax(syntax: str) -> bytes:
    data, whole = images.dicom(images.ramp(8, 8)), small()
    data.file_meta.TransferSyntaxUID = uid.UID(syntax)
    meta = io.BytesIO()
    write_file_meta_info(meta, data.file_meta)
    return bytes(128) + b"DICM" + meta.getvalue() + whole[meta_end(whole) :]


def palette(first: int) -> bytes:
    """Index values 0..63 through tables of 16 entries that begin at `first`."""
    data = images.dicom(images.ramp(8, 8, top=63, dtype="uint8"), PhotometricInterpretation="PALETTE COLOR")
    for color in ("Red", "Green", "Blue"):
        setattr(data, f"{color}PaletteColorLookupTableDescriptor", [16, first, 8])
        setattr(data, f"{color}PaletteColorLookupTableData", bytes(range(0, 256, 16)))
    return written(data)


def wrong_value_bytes() -> bytes:
    """Numbers whose bytes are not what their kind says: a window of letters, a spacing of one byte."""
    whole = textured(WindowCenter="40", WindowWidth="400")
    return whole.replace(b"\x28\x00\x50\x10DS\x02\x0040", b"\x28\x00\x50\x10DS\x02\x00\xff\xfe")


def bad_character_set() -> bytes:
    whole = textured(SpecificCharacterSet="ISO_IR 192", PatientName="XXXXXXXXXX")
    return whole.replace(b"XXXXXXXXXX", b"\xff\xfe\xc3\x28\xa0\xa1\x80\x81\xf0\x90")


def with_preamble(start: bytes) -> bytes:
    return start.ljust(128, b"\x90") + textured()[128:]


def nifti_head(**fields: Any) -> bytes:
    return images.nifti(np.zeros((4, 4, 4), np.int16), **fields)


def nifti_bomb(size: int) -> bytes:
    """A gzip stream of 4 × 4 × 4 voxels and then `size` zeros."""
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + deflated_zeros(nifti_head(), size) + bytes(8)


def png_bomb(side: int) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    body = zlib.compress(bytes((side // 8 + 1) * min(side, 4000)), 9)
    chunks = (images.png_chunk(b"IHDR", header), images.png_chunk(b"IDAT", body), images.png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def png(pixels: np.ndarray | None = None, **options: Any) -> bytes:
    return raster("PNG", images.photograph() if pixels is None else pixels, **options)


def raster(kind: str, pixels: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def text_bomb() -> bytes:
    plain = png()
    text = images.png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(20_000_000), 9))
    return plain[:33] + text + plain[33:]


def profile_bomb() -> bytes:
    plain = png()
    profile = images.png_chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(20_000_000), 9))
    return plain[:33] + profile + plain[33:]


def tiff(entries: list[tuple[int, int, int, int]], tail: bytes = b"") -> bytes:
    """A little-endian TIFF of one directory with (tag, type, count, value) entries, then `tail`."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + body + bytes(4) + tail


def tiff_bomb() -> bytes:
    return tiff([(256, 4, 1, 65535), (257, 4, 1, 65535), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 150),
                 (277, 3, 1, 1), (278, 4, 1, 65535), (279, 4, 1, 10)], bytes(20))  # fmt: skip


def tiff_of_tags(count: int, size: int) -> bytes:
    """Private tags that all point at the same megabytes: gigabytes when each is copied."""
    head = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    start = 8 + 2 + 12 * (count + 8) + 4
    strip = [(273, 4, 1, start), (278, 4, 1, 8), (279, 4, 1, 64)]
    tags = [(32768 + number, 7, size, start) for number in range(count)]
    return tiff(head + strip + tags, bytes(size))


def tiff_pages(count: int) -> bytes:
    """Many directories, each pointing at the next one."""
    entries = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1),
               (278, 4, 1, 8), (279, 4, 1, 64)]  # fmt: skip
    size = 2 + 12 * (len(entries) + 1) + 4
    data = 8 + size * count
    page = b"".join(struct.pack("<HHII", *entry) for entry in sorted([*entries, (273, 4, 1, data)]))
    pages = [
        struct.pack("<H", len(entries) + 1) + page + struct.pack("<I", (8 + size * following) % (8 + size * count))
        for following in range(1, count + 1)
    ]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(pages) + bytes(64)


def tiff_loop() -> bytes:
    plain = bytearray(tiff_pages(2))
    plain[-68:-64] = struct.pack("<I", 8)
    return bytes(plain)


def gif(frames: int) -> bytes:
    out = io.BytesIO()
    pages = [PIL.Image.fromarray(np.full((100, 100), number % 250, np.uint8)) for number in range(frames)]
    pages[0].save(out, "GIF", save_all=True, append_images=pages[1:])
    return out.getvalue()


def animated(kind: str) -> bytes:
    out = io.BytesIO()
    pages = [PIL.Image.fromarray(images.photograph(seed=seed)) for seed in range(3)]
    pages[0].save(out, kind, save_all=True, append_images=pages[1:])
    return out.getvalue()


def gifar() -> bytes:
    out = io.BytesIO(gif(1))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("Evil.class", "CANARY")
    return out.getvalue()


def scans(count: int) -> bytes:
    """A progressive JPEG of 4000 × 4000 whose last scan is repeated: each one costs a pass over all pixels."""
    out = io.BytesIO()
    PIL.Image.fromarray(np.zeros((4000, 4000), np.uint8)).save(out, "JPEG", progressive=True, quality=50)
    whole = out.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + whole[-2:]


def text_in_jpeg() -> bytes:
    return raster("JPEG", images.photograph(), comment=b"<html>" + SCRIPT)


def polyglot_pdf() -> bytes:
    info = PIL.PngImagePlugin.PngInfo()
    info.add_text("Title", "%PDF-1.4 CANARY")
    return png(pnginfo=info) + b"%PDF-1.4\n1 0 obj<</JS(CANARY)>>endobj\n%%EOF"


def other(kind: str) -> bytes:
    return raster(kind, images.photograph())


def transparent() -> bytes:
    pixels = np.dstack([images.photograph(), np.full((48, 64), 128, np.uint8)])
    return raster("PNG", pixels)


def cmyk() -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(images.photograph()).convert("CMYK").save(out, "JPEG")
    return out.getvalue()


TOO_LARGE, CORRUPT, HEADER = "too_large", "corrupt", "bad_header"
NOT, UNSUPPORTED, PIXELS, CUT = "not_an_image", "unsupported", "unsupported_pixels", "truncated"

DICOM: dict[str, list[Case]] = {
    "D01": [Case("cut", lambda: small()[:-40], CUT, "pixel data shorter than header says (88 of 128 bytes)")],
    "D02": [Case("65535 a side", lambda: small(Rows=65535, Columns=65535), TOO_LARGE, "allowed are 64 Mpx")],
    "D03": [Case("rows of 32 bits", large_rows, HEADER, "Rows is 4294967295")],
    "D04": [
        Case("two billion frames", lambda: small(NumberOfFrames=2**31 - 1), "too_many_frames", "allowed are 4096"),
        Case("frames in letters", frames_in_letters, HEADER, "NumberOfFrames is not a whole number"),
    ],
    "D05": [
        Case("trailing zeros", lambda: deflated_bomb(400 << 20, in_pixels=False), TOO_LARGE, "beyond the 32 MiB"),
        Case("zeros as pixels", lambda: deflated_bomb(200 << 20, in_pixels=True), TOO_LARGE, "beyond the 32 MiB"),
    ],
    "D06": [
        Case("2000 sequences", lambda: nested(2000, undefined=True), CORRUPT, "nested deeper than 8"),
        Case("2000 sized sequences", lambda: nested(2000, undefined=False), CORRUPT, "nested deeper than 8"),
        Case("9 sequences", lambda: nested(9, undefined=True), CORRUPT, "nested deeper than 8"),
    ],
    "D07": [
        Case("long element", lambda: small() + b"\xff\xff\x10\x00UN\0\0" + struct.pack("<I", 0xFFFFFFF0) + b"x",
             CUT, "longer than the file"),
    ],
    "D08": [
        Case("no syntax", lambda: public("meta_missing_tsyntax.dcm"), HEADER, "names no transfer syntax"),
        Case("no prefix", lambda: public("no_meta.dcm"), NOT, ""),
        Case("junk", lambda: np.random.default_rng(1).bytes(4000), NOT, ""),
        Case("junk with prefix", lambda: bytes(128) + b"DICM" + np.random.default_rng(2).bytes(4000), HEADER, ""),
    ],
    "D09": [
        Case("MPEG2", lambda: of_syntax("1.2.840.10008.1.2.4.100"), UNSUPPORTED, "MPEG2"),
        Case("H265", lambda: of_syntax("1.2.840.10008.1.2.4.107"), UNSUPPORTED, "HEVC"),
        Case("private syntax", lambda: of_syntax("1.2.999.4711"), UNSUPPORTED, "unregistered"),
    ],
    "D10": [
        Case("palette below", lambda: palette(40), flags=("palette",)),
        Case("palette above", lambda: palette(0), flags=("palette",)),
        Case("monochrome 1", lambda: textured(PhotometricInterpretation="MONOCHROME1")),
        Case("12 bits of 16", lambda: textured(BitsStored=12, HighBit=11)),
        Case("signed", lambda: textured(PixelRepresentation=1)),
        Case("window of 0", lambda: textured(WindowCenter="40", WindowWidth="0"), flags=("window_invalid",)),
        Case("window below 0", lambda: textured(WindowCenter="40", WindowWidth="-5"), flags=("window_invalid",)),
        Case("slope of 0", lambda: textured(RescaleSlope="0", RescaleIntercept="0"), HEADER, "give no values"),
        Case("slope of letters", lambda: textured(RescaleSlope="12", RescaleIntercept="0").replace(
            b"\x28\x00\x53\x10DS\x02\x0012", b"\x28\x00\x53\x10DS\x04\x00NaN "), HEADER, ""),
    ],
    "D11": [
        Case("bad characters", bad_character_set),
        Case("letters as window", wrong_value_bytes, flags=("window_invalid",)),
        Case("odd length", lambda: textured(PatientID="ABCD").replace(b"LO\x04\x00ABCD", b"LO\x03\x00ABC")),
    ],
    "D12": [
        Case("program", lambda: with_preamble(b"MZ")), Case("elf", lambda: with_preamble(b"\x7fELF")),
        Case("tiff in front", lambda: with_preamble(b"II*\0\x08\0\0\0")),
    ],
    "D14": [
        Case("burned in", lambda: textured(BurnedInAnnotation="YES"), flags=("burned_in_text",)),
        Case("ultrasound", lambda: textured(Modality="US"), flags=("burned_in_unknown",)),
        Case("capture", lambda: textured(SOPClassUID=images.CAPTURE_CLASS), flags=("burned_in_unknown",)),
    ],
    "D15": [
        Case("directory of files", lambda: public("dicomdirtests/DICOMDIR"), NOT, "DICOMDIR"),
        Case("report", lambda: public("test-SR.dcm"), NOT, "no pixels"),
        Case("plan", lambda: public("rtplan.dcm"), NOT, "no pixels"),
        Case("waveform", lambda: public("waveform_ecg.dcm"), NOT, "no pixels"),
        Case("encapsulated pdf", lambda: small(PixelData=None, SOPClassUID=PDF_CLASS), NOT, "PDF"),
    ],
}  # fmt: skip

NIFTI: dict[str, list[Case]] = {
    "N01": [
        Case("32767 cubed", lambda: nifti_head(dim=[3, 32767, 32767, 32767, 1, 1, 1, 1])[:1024], TOO_LARGE, ""),
        Case(
            "more than there is", lambda: nifti_head(dim=[3, 40, 40, 40, 1, 1, 1, 1]), CUT, "bytes before its header"
        ),
        Case("negative", lambda: nifti_head(dim=[3, -4, 4, 4, 1, 1, 1, 1]), HEADER, "not all positive"),
        Case("300 dimensions", lambda: nifti_head(dim=[300, 4, 4, 4, 1, 1, 1, 1]), HEADER, "300 dimensions"),
        Case("offset inside", lambda: nifti_head(vox_offset=100), HEADER, "vox_offset 100"),
    ],
    "N02": [Case("gzip bomb", lambda: nifti_bomb(1 << 30), TOO_LARGE, "more data than its header says")],
    "N03": [
        Case("complex", lambda: images.nifti(np.zeros((4, 4, 4), np.complex64)), PIXELS, "voxels are complex"),
        Case("rgb voxels", lambda: nifti_head(datatype=128), PIXELS, "voxels are RGB"),
        Case("slope nan", lambda: gzip.compress(nifti_head(slope=float("nan"))), flags=("scaling_undefined",)),
    ],
}

RASTER: dict[str, list[Case]] = {
    "I01": [
        Case("30000 a side", lambda: png_bomb(30_000), TOO_LARGE, "64 Mpx"),
        Case("12000 a side", lambda: png_bomb(12_000), TOO_LARGE, "64 Mpx"),
    ],
    "I02": [
        Case("text bomb", text_bomb, TOO_LARGE, "grows beyond its limit"),
        Case("profile bomb", profile_bomb, TOO_LARGE, "grows beyond its limit"),
        Case("tiff 65535 a side", tiff_bomb, TOO_LARGE, "64 Mpx"),
        Case("tiff of tags", lambda: tiff_of_tags(20_000, 1 << 20)),
        Case("tiff of pages", lambda: tiff_pages(30_000), PIXELS, "several pages"),
        Case("tiff that loops", tiff_loop, PIXELS, "several pages"),
        Case("gif of 300", lambda: gif(300), NOT, ""),
        Case("cut png", lambda: png()[:2000], CUT, "ends before its pixels do"),
        Case("jpeg of scans", lambda: scans(2000), TOO_LARGE, "scans"),
    ],
    "I03": [
        *(Case(kind, lambda kind=kind: other(kind), NOT, "") for kind in
          ("EPS", "PDF", "BMP", "PPM", "TGA", "GIF", "ICO", "ICNS", "JPEG2000", "PCX", "SGI", "DDS")),
        Case("PSD", lambda: b"8BPS\0\1" + bytes(2000), NOT, ""),
        Case("WMF", lambda: b"\xd7\xcd\xc6\x9a" + bytes(2000), NOT, ""),
    ],
    "I04": [
        Case("png and script", lambda: png() + SCRIPT), Case("jpeg comment", text_in_jpeg),
        Case("polyglot pdf", polyglot_pdf), Case("gifar", gifar, NOT, ""),
        Case("svg", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT + b"</svg>", NOT, ""),
        Case("page named png", lambda: b"<html>" + SCRIPT, NOT, ""),
    ],
    "I05": [
        Case("animated webp", lambda: animated("WEBP"), PIXELS, "several pages or animation"),
        Case("animated png", lambda: animated("PNG"), PIXELS, "several pages or animation"),
        Case("cmyk", cmyk, PIXELS, "CMYK"), Case("half transparent", transparent, "alpha", "transparent"),
        Case("turned", lambda: raster("JPEG", images.photograph(), exif=_turned()), flags=("oriented", "lossy")),
        Case("16 bits", lambda: png(images.texture(top=65535))),
        Case("one bit", lambda: png(images.texture(top=255, dtype="uint8") > 100), flags=("mask",)),
    ],
    "I06": [Case("nothing", lambda: b"", "empty", "0 bytes")],
}  # fmt: skip


def _turned() -> PIL.Image.Exif:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    return exif


CASES: dict[str, list[Case]] = DICOM | NIFTI | RASTER
