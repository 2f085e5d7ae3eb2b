"""Pictures to send: PNG files made here, so that none has to be kept."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def make_png(width, height):
    """A PNG of that size in which no two neighbours are alike."""
    rows = b"".join(
        b"\0" + b"".join(bytes((x & 255, y & 255, (x ^ y) & 255)) for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # Eight bits a colour, red green blue.
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def size_of_picture(file):
    """The width and height that a PNG or a JPEG says it has."""
    if file.startswith(SIGNATURE):
        return struct.unpack(">II", file[16:24])
    at = 2
    while at + 9 < len(file) and file[at] == 0xFF:
        if 0xC0 <= file[at + 1] <= 0xC2:
            return struct.unpack(">HH", file[at + 5:at + 9])[::-1]
        at += 2 + int.from_bytes(file[at + 2:at + 4], "big")
    raise AssertionError(f"neither PNG nor JPEG: {file[:12].hex()}")
