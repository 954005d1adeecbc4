"""Which word size a library file was built for, read from its header without loading it."""

import struct
from pathlib import Path
from typing import Literal

Architecture = Literal["32", "64", "unknown"]

_PE_MACHINES: dict[int, Architecture] = {0x014C: "32", 0x01C4: "32", 0x8664: "64", 0xAA64: "64"}
_ELF_CLASSES: dict[int, Architecture] = {1: "32", 2: "64"}
_HEADER_BYTES = 4096
_PE_OFFSET_AT = 0x3C


def architecture(path: Path) -> Architecture:
    """Word size; "unknown" for anything that is neither PE nor ELF, or unreadable."""
    try:
        with path.open("rb") as stream:
            return parse(stream.read(_HEADER_BYTES))
    except OSError:
        return "unknown"


def parse(header: bytes) -> Architecture:
    """Word size from the first bytes of a PE or ELF file."""
    if header[:4] == b"\x7fELF" and len(header) > 4:  # noqa: PLR2004 – EI_CLASS is the fifth byte
        return _ELF_CLASSES.get(header[4], "unknown")
    if header[:2] == b"MZ" and len(header) >= _PE_OFFSET_AT + 4:
        (offset,) = struct.unpack_from("<I", header, _PE_OFFSET_AT)
        if header[offset : offset + 4] == b"PE\0\0" and len(header) >= offset + 6:
            return _PE_MACHINES.get(struct.unpack_from("<H", header, offset + 4)[0], "unknown")
    return "unknown"
