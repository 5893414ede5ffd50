"""Compares the cast profiles of torch with torch, on the CPU and on a GPU if there is one. usage: torch_casts_test.py DUMP_CASTS"""

import sys

import numpy as np
import torch

import cast_runs

# dtype, device and profiles; the newest profile that is not newer than this torch applies. Two fnuz rows also cover ml_dtypes.
CASTS = [
    ("float8_e4m3fn", "cpu", "torch.e4m3fn torch.e4m3fn_sat"),
    ("float8_e4m3fn", "cuda", "torch.e4m3fn torch.e4m3fn_sat"),
    ("float8_e4m3fn", "cuda", "torch.e4m3fn_f16_cuda"),
    ("float8_e5m2", "cpu", "torch.e5m2"),
    ("float8_e5m2", "cuda", "torch.e5m2"),
    ("float8_e5m2", "cuda", "torch.e5m2_f16_cuda"),
    ("float8_e8m0fnu", "cpu", "torch.e8m0"),
    ("float8_e8m0fnu", "cuda", "torch.e8m0"),
    ("float8_e4m3fnuz", "cpu", "ml_dtypes.e4m3fnuz"),
    ("float8_e4m3fnuz", "cuda", "ml_dtypes.e4m3fnuz"),
    ("float8_e5m2fnuz", "cpu", "ml_dtypes.e5m2fnuz"),
    ("float8_e5m2fnuz", "cuda", "ml_dtypes.e5m2fnuz"),
]


def number(version):
    return tuple(int(part) for part in version.split("+")[0].split(".")[:2])


def since(profile):
    """The version after the @ of a profile's name."""
    return number(profile.name.split("@")[1]) if "@" in profile.name else (0, 0)


def of_this_version(bases, profiles):
    """The profile for this torch version, or None if no profile covers it."""
    here = number(torch.__version__)
    fitting = [p for p in profiles.values() if p.name.split("@")[0] in bases.split() and since(p) <= here]
    newest = max(fitting, key=since, default=None)
    return None if newest is None or (newest.until != "-" and number(newest.until) <= here) else newest


def main():
    print(f"torch {torch.__version__}, numpy {np.__version__}, GPU: {torch.cuda.is_available()}")
    profiles = cast_runs.read_profiles(sys.argv[1])
    held, failures = 0, 0
    for dtype, device, bases in CASTS:
        profile = of_this_version(bases, profiles)
        why = ("no such dtype" if not hasattr(torch, dtype) else "no GPU" if device == "cuda" and not torch.cuda.is_available() else
               f"no row {bases} for torch {torch.__version__}" if profile is None else "")
        if why:
            print(f"skipped: {dtype} on {device}: {why}")
            continue

        def cast(x):
            there = torch.from_numpy(x).to(device).to(getattr(torch, dtype))
            return there.view(torch.uint8).cpu().numpy()

        held += 1
        failures += cast_runs.hold(f"torch {dtype} on {device}", cast, profile, profiles)
    if not held:
        print(f"SKIPPED: torch {torch.__version__} has no cast with a row")
    sys.exit(1 if failures else 0 if held else 77)


main()
