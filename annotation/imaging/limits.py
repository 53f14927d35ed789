"""How much one file may cost. Every reader of this room takes a `Limits`."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file; a file over a bound raises `ImageError`, it is never read in part.

    Attributes:
        file_bytes: size of the file on disk.
        pixels: rows times columns of one frame.
        frames: frames of a sequence or slices of a volume.
        decoded_bytes: bytes of all stored samples after decoding, and of any stream after inflating.
        seconds: wall time of one decode in the sandbox, for a small file.
        seconds_per_mebibyte: further wall time for each MiB on disk.
        memory_bytes: address space of the sandbox process, at most.
        small_memory_bytes: address space for a small file; what a few bytes may cost.
        memory_per_byte: further address space for each byte on disk.
        depth: nesting of DICOM sequences.
    """

    file_bytes: int = 1024 * MEBIBYTE
    pixels: int = 64_000_000
    frames: int = 4096
    decoded_bytes: int = 512 * MEBIBYTE
    seconds: float = 9.0
    seconds_per_mebibyte: float = 0.5
    memory_bytes: int = 4096 * MEBIBYTE
    small_memory_bytes: int = 1024 * MEBIBYTE
    memory_per_byte: int = 24
    depth: int = 8

    def wall_seconds(self, file_bytes: int) -> float:
        """Wall time allowed for a file of `file_bytes` bytes, in seconds."""
        return self.seconds + self.seconds_per_mebibyte * file_bytes / MEBIBYTE

    def memory_for(self, file_bytes: int) -> int:
        """Address space allowed for a file of `file_bytes` bytes: a small file never costs what a large one may."""
        return min(self.memory_bytes, self.small_memory_bytes + self.memory_per_byte * file_bytes)
