"""Compares the reference formats with numpy and ml_dtypes, and the cast profiles named ml_dtypes.* with ml_dtypes.
usage: ml_dtypes_test.py DUMP_CONVERSIONS DUMP_CASTS

Neither side saturates. Documented differences are skipped. ml_dtypes keeps the sign of a NaN. In e8m0, it gives NaN for zero and
for negative numbers; here, as in hardware, zero gives 2^-127 and a negative number its magnitude. Between 2^-127 and 2^-126,
ml_dtypes always rounds up.
"""

import subprocess
import sys

SKIPPED = 77

try:
    import ml_dtypes
    import numpy as np
except ImportError as missing:
    print(f"SKIPPED: no {missing.name} for Python (pip install numpy ml_dtypes)")
    sys.exit(SKIPPED)

import cast_runs

TYPES = {
    "bf16": (ml_dtypes.bfloat16, np.uint16),
    "f16": (np.float16, np.uint16),
    "e4m3fn": (ml_dtypes.float8_e4m3fn, np.uint8),
    "e4m3fnuz": (ml_dtypes.float8_e4m3fnuz, np.uint8),
    "e5m2": (ml_dtypes.float8_e5m2, np.uint8),
    "e5m2fnuz": (ml_dtypes.float8_e5m2fnuz, np.uint8),
    "e8m0": (ml_dtypes.float8_e8m0fnu, np.uint8),
    "int8": (np.int8, np.uint8),
}

CAST_TYPES = {
    "ml_dtypes.e4m3fn": "float8_e4m3fn",
    "ml_dtypes.e4m3fnuz": "float8_e4m3fnuz",
    "ml_dtypes.e5m2": "float8_e5m2",
    "ml_dtypes.e5m2fnuz": "float8_e5m2fnuz",
    "ml_dtypes.e8m0": "float8_e8m0fnu",
    "ml_dtypes.e2m1": "float4_e2m1fn",
    "ml_dtypes.e2m3": "float6_e2m3fn",
    "ml_dtypes.e3m2": "float6_e3m2fn",
}


def read(program):
    """Reads the values of all codes of each format, and the table of inputs and codes."""
    decoded, columns, rows, name = {}, [], [], None
    for line in subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines():
        words = line.split()
        if words[0] == "decode":
            name = words[1]
            decoded[name] = []
        elif words[0] == "round":
            columns, name = words[1:], None
        elif name:
            decoded[name].append(int(words[0], 16))
        else:
            rows.append([int(word, 16) for word in words])
    table = np.array(rows, dtype=np.uint64)
    values = {key: np.array(bits, dtype=np.uint64).view(np.float64) for key, bits in decoded.items()}
    return values, table[:, 0].astype(np.uint32), {key: table[:, i + 1] for i, key in enumerate(columns)}


def equal(a, b):
    """Elementwise: the same number and sign, or both NaN."""
    return (np.isnan(a) & np.isnan(b)) | ((a == b) & (np.signbit(a) == np.signbit(b)))


def wrong_values(name, values):
    theirs, codes = TYPES[name]
    decoded = np.arange(len(values)).astype(codes).view(theirs).astype(np.float64)
    return int(np.count_nonzero(~equal(values, decoded)))


def converted(name, x):
    """Converts f32 inputs to codes with numpy and ml_dtypes."""
    theirs, codes = TYPES[name]
    if name == "int8":
        return np.clip(np.rint(x), -128, 127).astype(np.int8).view(np.uint8)
    return x.astype(theirs).view(codes)


def wrong_codes(name, bits, ours, values):
    x = bits.view(np.float32)
    keep = np.ones(len(x), dtype=bool)
    if name == "e8m0":
        keep = ~(x <= 0) & ~((x > 2.0**-127) & (x < 2.0**-126))
    if name == "int8":
        keep = ~np.isnan(x)
    theirs = converted(name, x[keep])
    return int(np.count_nonzero(~equal(values[ours[keep].astype(np.int64)], values[theirs.astype(np.int64)])))


def wrong_casts(program):
    """Number of cast profiles named ml_dtypes.* that do not hold."""
    print(f"ml_dtypes {ml_dtypes.__version__}, numpy {np.__version__}")
    profiles = cast_runs.read_profiles(program)
    ours = {name for name in profiles if name.startswith("ml_dtypes.")}
    assert ours == set(CAST_TYPES), f"rows and types here are not the same: {ours ^ set(CAST_TYPES)}"
    failures = 0
    for name, theirs in CAST_TYPES.items():
        if not hasattr(ml_dtypes, theirs):
            print(f"skipped: {name}: ml_dtypes {ml_dtypes.__version__} has no {theirs}")
            continue
        dtype = getattr(ml_dtypes, theirs)
        failures += cast_runs.hold(f"ml_dtypes {theirs}", lambda x: x.astype(dtype).view(np.uint8), profiles[name], profiles)
    return failures


def main():
    np.seterr(all="ignore")
    values, bits, codes = read(sys.argv[1])
    assert len(bits) >= 200_000 and set(codes) == set(TYPES), "the dump is not what this file expects"
    failures = wrong_casts(sys.argv[2])
    for name in TYPES:
        bad = wrong_values(name, values[name]), wrong_codes(name, bits, codes[name], values[name])
        print(f"{name}: {bad[0]} of {len(values[name])} codes and {bad[1]} of {len(bits)} conversions differ")
        failures += bad != (0, 0)

        # The comparison must detect one changed value, and truncation in place of rounding.
        other = values[name].copy()
        other[1] = other[2]
        toward_zero = np.roll(codes[name], 1)
        if wrong_values(name, other) == 0 or wrong_codes(name, bits, toward_zero, values[name]) == 0:
            print(f"{name}: this comparison cannot fail")
            failures += 1
    sys.exit(1 if failures else 0)


main()
