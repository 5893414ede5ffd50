"""usage: png_colours.py FILE WIDTH HEIGHT PAINTED BLACK. Exit code 0 if the picture has that size, more than eight colours, content
down to row PAINTED or below, and at least BLACK pixels of pure black. Uses only the standard library. Reads PNG files
as browsers write them: 8 bits per channel, no interlacing."""
import struct
import sys
import zlib


def chunks(data):
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def unfiltered(kind, row, above, step):
    """Reverses the filter of one row of bytes (PNG specification, section 9.2)."""
    if kind == 0:
        return row
    if kind == 2:
        return bytearray((a + b) & 255 for a, b in zip(row, above))
    for i in range(len(row)):
        left = row[i - step] if i >= step else 0
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + above[i]) // 2
        else:
            corner = above[i - step] if i >= step else 0
            p = left + above[i] - corner
            guess = min((abs(p - left), 0, left), (abs(p - above[i]), 1, above[i]), (abs(p - corner), 2, corner))[2]
        row[i] = (row[i] + guess) & 255
    return row


def main():
    path = sys.argv[1]
    want_width, want_height, want_painted, want_black = map(int, sys.argv[2:])
    data = open(path, "rb").read()
    parts = list(chunks(data))
    width, height, bits, colour_type, _, _, interlaced = struct.unpack(">IIBBBBB", parts[0][1])
    step = {2: 3, 6: 4}[colour_type]
    assert bits == 8 and interlaced == 0
    raw = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    stride = width * step
    above, colours, painted = bytearray(stride), {}, 0
    for y in range(height):
        begin = y * (stride + 1)
        above = unfiltered(raw[begin], bytearray(raw[begin + 1 : begin + 1 + stride]), above, step)
        painted = y if above.count(255) < stride else painted
        for pixel in zip(above[0::step], above[1::step], above[2::step]):
            colours[pixel] = colours.get(pixel, 0) + 1
    black = colours.get((0, 0, 0), 0)
    print(f"{width} x {height}, {len(colours)} colours, painted down to row {painted}, {black} black pixels")
    right_size = (width, height) == (want_width, want_height)
    return 0 if right_size and len(colours) > 8 and painted >= want_painted and black >= want_black else 1


if __name__ == "__main__":
    sys.exit(main())
