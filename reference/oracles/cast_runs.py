"""Reads cast profiles as runs of one code (dump_casts), and compares a library with them. For *_casts_test.py.

Tested inputs: both ends of every run of every profile with that source format, and the inputs next to them; for f32, every upper
16 bits with five lower 16 bits, and every 1021st pattern. A cast that is right at the ends of its runs and monotone between them
is right everywhere; the other inputs detect a cast that is not monotone. ASSAY_EXHAUSTIVE=1 tests every input.
"""

import os
import subprocess

import numpy as np

BITS = {"f32": (32, np.uint32, np.float32), "f16": (16, np.uint16, np.float16)}
BLOCK = 1 << 24


class Profile:
    def __init__(self, name, source, form, until):
        self.name, self.source, self.form, self.until = name, source, form, until
        self.first, self.code = [], []

    def equals(self, other):
        return np.array_equal(self.first, other.first) and np.array_equal(self.code, other.code)

    def with_a_border_moved(self, run, by):
        """The same profile, but with the start of run `run` moved up by `by` inputs."""
        other = Profile(self.name, self.source, self.form, self.until)
        other.first, other.code = self.first.copy(), self.code
        other.first[run] = int(other.first[run]) + by
        return other


def read_profiles(program):
    profiles = {}
    for line in subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines():
        words = line.split()
        if words[0] == "cast":
            profile = profiles[words[1]] = Profile(*words[1:])
        else:
            profile.first.append(int(words[0], 16))
            profile.code.append(int(words[2], 16))
    for profile in profiles.values():
        profile.first = np.array(profile.first, dtype=np.uint64)
        profile.code = np.array(profile.code, dtype=np.uint16)
    return profiles


def near_borders(profiles, source):
    """Every input at which a profile changes its code, the two inputs below it, and the one above it."""
    bits, patterns, _ = BITS[source]
    firsts = np.concatenate([p.first for p in profiles.values() if p.source == source])
    around = np.concatenate([firsts + np.uint64(d) for d in (0, 1)] + [firsts - np.uint64(d) for d in (1, 2)])
    return np.unique(around & np.uint64((1 << bits) - 1)).astype(patterns)


def everywhere(source):
    """Yields sorted blocks of inputs: all if the source has 16 bits or ASSAY_EXHAUSTIVE=1, else the inputs listed at the top of this file."""
    bits, patterns, _ = BITS[source]
    if bits == 16 or os.environ.get("ASSAY_EXHAUSTIVE") == "1":
        for begin in range(0, 1 << bits, BLOCK):
            yield np.arange(begin, min(begin + BLOCK, 1 << bits), dtype=np.uint64).astype(patterns)
        return
    tops = np.arange(1 << 16, dtype=np.uint64) << np.uint64(16)
    yield np.sort(np.concatenate([tops + np.uint64(low) for low in (0, 1, 0x7FFF, 0x8000, 0xFFFF)])).astype(patterns)
    yield np.arange(0, 1 << 32, 1021, dtype=np.uint64).astype(patterns)


def wrong_at(profile, inputs, codes):
    """Indices of the (sorted) inputs for which the library's code differs from the profile's, and the profile's codes."""
    ends = np.append(np.searchsorted(inputs, profile.first[1:].astype(inputs.dtype)), len(inputs))
    expected = np.repeat(profile.code, np.diff(ends, prepend=0))
    return np.flatnonzero(codes != expected), expected


def hold(theirs, cast, profile, profiles):
    """Compares a library's cast with its profile; inputs near run ends must reject all other profiles. Returns the failures."""
    wrong, total, first = 0, 0, ""
    _, _, numbers = BITS[profile.source]
    near = near_borders(profiles, profile.source)
    for inputs in (near, *everywhere(profile.source)):
        codes = cast(inputs.view(numbers))
        where, expected = wrong_at(profile, inputs, codes)
        if len(where) and not wrong:
            first = f"; {inputs[where[0]]:x} becomes {codes[where[0]]:x} and not {expected[where[0]]:x}"
        wrong += len(where)
        total += len(inputs)

    others = [p for p in profiles.values() if p.source == profile.source and not p.equals(profile)]
    others += [profile.with_a_border_moved(run, by) for run in range(1, len(profile.first)) for by in (-1, 1)]
    codes = cast(near.view(numbers))
    accepted = [p.name for p in others if len(wrong_at(p, near, codes)[0]) == 0]
    print(f"{theirs} as {profile.name}: {wrong} of {total} inputs differ{first}; {len(others) - len(accepted)} of {len(others)} "
          f"wrong profiles are refused{', but not ' if accepted else ''}{', '.join(accepted)}")
    return int(wrong > 0) + int(bool(accepted) or not others)
