"""Compares the cast profiles named ml_dtypes.* with ml_dtypes. usage: ml_dtypes_casts_test.py DUMP_CASTS"""

import sys

import ml_dtypes
import numpy as np

import cast_runs

TYPES = {
    "ml_dtypes.e4m3fn": "float8_e4m3fn",
    "ml_dtypes.e4m3fnuz": "float8_e4m3fnuz",
    "ml_dtypes.e5m2": "float8_e5m2",
    "ml_dtypes.e5m2fnuz": "float8_e5m2fnuz",
    "ml_dtypes.e8m0": "float8_e8m0fnu",
    "ml_dtypes.e2m1": "float4_e2m1fn",
    "ml_dtypes.e2m3": "float6_e2m3fn",
    "ml_dtypes.e3m2": "float6_e3m2fn",
}


def main():
    np.seterr(all="ignore")
    print(f"ml_dtypes {ml_dtypes.__version__}, numpy {np.__version__}")
    profiles = cast_runs.read_profiles(sys.argv[1])
    ours = {name for name in profiles if name.startswith("ml_dtypes.")}
    assert ours == set(TYPES), f"rows and types here are not the same: {ours ^ set(TYPES)}"
    failures = 0
    for name, theirs in TYPES.items():
        if not hasattr(ml_dtypes, theirs):
            print(f"skipped: {name}: ml_dtypes {ml_dtypes.__version__} has no {theirs}")
            continue
        dtype = getattr(ml_dtypes, theirs)
        failures += cast_runs.hold(f"ml_dtypes {theirs}", lambda x: x.astype(dtype).view(np.uint8), profiles[name], profiles)
    sys.exit(1 if failures else 0)


main()
