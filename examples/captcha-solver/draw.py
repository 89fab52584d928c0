"""Draws a captcha image: `python draw.py K7XQ4M > sample.png`. Needs nothing but Python."""

import math
import random
import struct
import sys
import zlib

CELL = 6  # pixels per dot of a glyph
LETTER = 5 * CELL
GAP = 11
MARGIN = 24
HEIGHT = 96

# Seven rows of five dots per letter, top row first, highest bit on the left. 0, 1, I and O are left out: too alike.
GLYPHS = {
    "A": (14, 17, 17, 31, 17, 17, 17), "B": (30, 17, 17, 30, 17, 17, 30), "C": (14, 17, 16, 16, 16, 17, 14),
    "D": (30, 17, 17, 17, 17, 17, 30), "E": (31, 16, 16, 30, 16, 16, 31), "F": (31, 16, 16, 30, 16, 16, 16),
    "G": (14, 17, 16, 23, 17, 17, 14), "H": (17, 17, 17, 31, 17, 17, 17), "J": (7, 2, 2, 2, 2, 18, 12),
    "K": (17, 18, 20, 24, 20, 18, 17), "L": (16, 16, 16, 16, 16, 16, 31), "M": (17, 27, 21, 21, 17, 17, 17),
    "N": (17, 25, 21, 19, 17, 17, 17), "P": (30, 17, 17, 30, 16, 16, 16), "Q": (14, 17, 17, 17, 21, 18, 13),
    "R": (30, 17, 17, 30, 20, 18, 17), "S": (15, 16, 16, 14, 1, 1, 30), "T": (31, 4, 4, 4, 4, 4, 4),
    "U": (17, 17, 17, 17, 17, 17, 14), "V": (17, 17, 17, 17, 17, 10, 4), "W": (17, 17, 17, 21, 21, 27, 17),
    "X": (17, 17, 10, 4, 10, 17, 17), "Y": (17, 17, 10, 4, 4, 4, 4), "Z": (31, 1, 2, 4, 8, 16, 31),
    "2": (14, 17, 1, 2, 4, 8, 31), "3": (31, 2, 4, 2, 1, 17, 14), "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14), "6": (6, 8, 16, 30, 17, 17, 14), "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14), "9": (14, 17, 17, 15, 1, 2, 12),
}  # fmt: skip
INKS = ((30, 41, 99), (109, 20, 76), (20, 83, 60), (120, 53, 15), (49, 46, 129))
HAZE = ((203, 213, 225), (196, 207, 240), (222, 205, 232), (205, 226, 214))

Color = tuple[int, int, int]


def draw(text: str, seed: int = 0) -> bytes:
    """The PNG of `text` (letters of GLYPHS only): wavy dark letters over pale lines and dots. Same arguments, same bytes."""
    chance = random.Random(f"{text}/{seed}")
    width = 2 * MARGIN + len(text) * (LETTER + GAP) - GAP
    pixels: list[list[Color]] = [[(250 - y // 12, 251 - y // 16, 255)] * width for y in range(HEIGHT)]

    def dot(x: float, y: float, size: int, color: Color) -> None:
        for row in range(round(y), round(y) + size):
            for column in range(round(x), round(x) + size):
                if 0 <= row < HEIGHT and 0 <= column < width:
                    pixels[row][column] = color

    for _ in range(5):
        start, end, color = chance.uniform(0, HEIGHT), chance.uniform(0, HEIGHT), chance.choice(HAZE)
        for x in range(width):
            dot(x, start + (end - start) * x / width + 6 * math.sin(x / 19), 2, color)
    for _ in range(60):
        dot(chance.uniform(0, width), chance.uniform(0, HEIGHT), 3, chance.choice(HAZE))
    for _ in range(14):
        dot(chance.uniform(0, width), chance.uniform(0, HEIGHT), 2, chance.choice(INKS))

    phase = chance.uniform(0, 2 * math.pi)
    for place, letter in enumerate(text):
        left, top, ink = MARGIN + place * (LETTER + GAP), 27 + chance.randint(-8, 8), chance.choice(INKS)
        for x in range(LETTER):
            lift = 2.5 * math.sin((left + x) / 16 + phase)
            for y in range(7 * CELL):
                if GLYPHS[letter][y // CELL] >> (4 - x // CELL) & 1:
                    dot(left + x, top + y + lift, 1, ink)
    return _png(pixels)


def _png(pixels: list[list[Color]]) -> bytes:
    rows = b"".join(b"\0" + bytes(value for color in row for value in color) for row in pixels)
    header = struct.pack(">IIBBBBB", len(pixels[0]), len(pixels), 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(draw(sys.argv[1]))
