"""Corrupts the packed scales of a correct call in fifteen ways; the codes stay right. Checks which of them `assay judge` names.

usage: scale_corruptions.py ASSAY HEALTHY.safetensors FOLDER

Prints the corruptions whose report lacks the expected text. Exit code 1 if there is more than one.
"""

import json
import math
import pathlib
import random
import struct
import subprocess
import sys

assay, healthy, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
data = healthy.read_bytes()
(head_bytes,) = struct.unpack("<Q", data[:8])
head, body = json.loads(data[8:8 + head_bytes]), data[8 + head_bytes:]
head.pop("__metadata__", None)
tensors = {name: body[slice(*one["data_offsets"])] for name, one in head.items()}
ROWS, GROUPS, PADDED, WORDS = 61, 16, 64, 4

words = [*struct.unpack(f"<{len(tensors['scale']) // 4}I", tensors["scale"]), 0, 0, 0][:WORDS * PADDED]
right = [[words[w * PADDED + r] >> 8 * b & 0xff for w in range(WORDS) for b in range(4)] for r in range(ROWS)]
x = struct.unpack(f"<{len(tensors['x']) // 2}H", tensors["x"])
amax = [[max(struct.unpack("<f", struct.pack("<I", (v & 0x7fff) << 16))[0] for v in x[(r * GROUPS + g) * 128:(r * GROUPS + g + 1) * 128])
         for g in range(GROUPS)] for r in range(ROWS)]


def packed(scales, rows_of_padding=None, apart=PADDED):
    """Packs four scales into each int32 and stores one column of words after the other. A column takes the space of `apart` rows; rows after the last are padding."""
    all_rows = scales + [rows_of_padding or [0] * GROUPS] * (apart - len(scales))
    return struct.pack(f"<{WORDS * apart}I", *(sum(all_rows[r][4 * w + b] << 8 * b for b in range(4)) for w in range(WORDS) for r in range(apart)))


def with_rows(change):
    return packed([[change(r, g) for g in range(GROUPS)] for r in range(ROWS)])


def of_floats(order):
    """Returns words that hold the bits of one fp32 scale, where four scale bytes are expected."""
    bits = [struct.unpack("<I", struct.pack("<f", 2.0 ** (right[r][g] - 127) * 1.25))[0] for r, g in order]
    return struct.pack(f"<{len(bits)}I", *bits)


def or_packed():
    """Packs fp32 scales that are not powers of two, without masking their mantissas."""
    made = []
    for w in range(WORDS):
        for r in range(PADDED):
            word = 0
            for b in range(4):
                bits = struct.unpack("<I", struct.pack("<f", amax[r][4 * w + b] / 448))[0] if r < ROWS else 0
                word |= bits >> 23 if b == 0 else bits >> (23 - 8 * b) if b < 3 else bits << 1
            made.append(word & 0xffffffff)
    return struct.pack(f"<{len(made)}I", *made)


random.seed(5)
old = [[random.choice(right[(r * 7 + 3) % ROWS]) for _ in range(GROUPS)] for r in range(ROWS)]
cells = [(r, g) for g in range(4) for r in range(PADDED)]
row = lambda r: min(max(r, 0), ROWS - 1)
CORRUPTIONS = {
    "fp32 bits, word after word": (of_floats([(row(r), w) for w in range(WORDS) for r in range(PADDED)]), "bits of one fp32 scale"),
    "fp32 bits, every fourth group": (of_floats([(row(r), 4 * w) for w in range(WORDS) for r in range(PADDED)]), "bits of one fp32 scale"),
    "fp32 bits, row after row": (of_floats([(row(i // WORDS), i % WORDS) for i in range(WORDS * PADDED)]), "bits of one fp32 scale"),
    "row-major": (struct.pack(f"<{WORDS * PADDED}I", *(sum(right[row(r)][4 * w + b] << 8 * b for b in range(4)) if r < ROWS else 0
                                                       for r in range(PADDED) for w in range(WORDS))), "row"),
    "0xFF in the padding": (packed(right, [0xff] * GROUPS), "padding"),
    "OR-packed without a mask": (or_packed(), "without a mask"),
    "one NaN byte": (with_rows(lambda r, g: 0xff if (r, g) == (17, 5) else right[r][g]), "NaN (0xff) where a number is expected"),
    "zero rows": (with_rows(lambda r, g: 0 if r >= 48 else right[r][g]), "one code in every wrong element, 0x00"),
    "stale rows": (with_rows(lambda r, g: old[r][g] if r >= 48 else right[r][g]), "other data"),
    "byte order": (struct.pack(f">{WORDS * PADDED}I", *words), "byte order"),
    "off by one row": (with_rows(lambda r, g: right[row(r - 1)][g]), "1 row earlier"),
    "off by one group": (with_rows(lambda r, g: right[r][min(g + 1, GROUPS - 1)]), "1 column later"),
    "exponent - 1": (with_rows(lambda r, g: right[r][g] - 1), ("1/2 of the expected values", "exponent - 1")),
    "floor for ceil": (with_rows(lambda r, g: math.frexp(amax[r][g] / 448)[1] - 1 + 127), "pow2(floor)"),
    "words without gaps": (packed(right, apart=ROWS) + bytes(4 * WORDS * (PADDED - ROWS)), ("without padding", "scale layout: ue8m0x4_tma -> ue8m0x4_col")),
}
missed = []
for name, (scale, expected) in CORRUPTIONS.items():
    changed = {**tensors, "scale": scale[:len(tensors["scale"])].ljust(len(tensors["scale"]), b"\0")}
    at, table, bytes_of = 0, {}, b""
    for tensor, one in head.items():
        table[tensor] = {**one, "data_offsets": [at, at + len(changed[tensor])]}
        bytes_of += changed[tensor]
        at += len(changed[tensor])
    text = json.dumps(table).encode()
    text += b" " * (-len(text) % 8)
    file = folder / (name.replace(" ", "_").replace(",", "") + ".safetensors")
    file.write_bytes(struct.pack("<Q", len(text)) + text + bytes_of)
    done = subprocess.run([assay, "judge", file, "--contract", "vllm.group_fp8_packed", "--param", "group_size=128"], capture_output=True, text=True)
    causes = [line for line in done.stdout.splitlines() if line.strip().startswith(("cause", "padding"))]
    expected = (expected,) if isinstance(expected, str) else expected
    if done.returncode != 1 or not any(word in line for word in expected for line in causes):
        missed.append(name)
        print(f"{name}: expected exit code 1 and a cause with {expected}; got exit code {done.returncode} and:\n" + "\n".join(causes or (done.stdout + done.stderr).splitlines()[:6]))
print(f"{len(CORRUPTIONS) - len(missed)} of {len(CORRUPTIONS)} corruptions are named by assay judge")
sys.exit(0 if len(missed) <= 1 else 1)
