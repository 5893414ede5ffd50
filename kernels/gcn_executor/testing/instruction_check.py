#!/usr/bin/env python3
"""Compares the executor's vector instructions with second_definition.py, and its scalar and LDS instructions with scalar_and_lds.py.

  instruction_check.py write KERNELS.hip --table vector_table.inc --architecture gfx942 [--planted]
  instruction_check.py run PROGRAM KERNELS.elf --table vector_table.inc --architecture gfx942 [--planted]

"write" writes one kernel for each form of an instruction.

PROGRAM is gcn_instructions_test, which executes the kernels on the inputs of this script. A form is the instruction alone or with
modifiers: signs, op_sel, clamp, output modifiers, DPP, SDWA, scalar and constant sources. With --planted, every kernel executes
another instruction with the same operand types, and every comparison must fail.
"""

import argparse
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

import exact_floats as exact
import scalar_and_lds as other
import second_definition as second
from exact_floats import BF16, F16, F32
from instruction_forms import (
    DPP,
    FLOATS,
    PARTS,
    ROWS,
    WORDS,
    Form,
    forms_of,
    is_wide,
    is_written,
    kernel,
    plant,
    table_of,
    HEAD,
)


# ---- inputs
def random_word(r, kind):
    """A random 32-bit word: any bits, or a special or moderate value of the type `kind`."""
    pick = r.random()
    if pick < 0.3:
        return r.getrandbits(32)
    if kind == "f":
        if pick < 0.55:
            return struct.unpack("<I", struct.pack("<f", r.choice([-1, 1]) * r.random() * 2.0 ** r.randint(-12, 12)))[0]
        if pick < 0.65:
            return struct.unpack("<I", struct.pack("<f", r.randint(-600, 600) / 2))[0]
        return (
            r.choice(
                [
                    0,
                    1,
                    0x7FFFFF,
                    0x800000,
                    0x7F7FFFFF,
                    0x7F800000,
                    0x7FC00000,
                    0x7F800001,
                    0x3F800000,
                    0x3F000000,
                    0x4B000001,
                    0x4F000000,
                    0x43780000,
                    0x43E80000,
                    0x7FA00000,
                ]
            )
            | r.getrandbits(1) << 31
        )
    if kind == "h":
        half = (
            lambda: r.choice(
                [
                    0,
                    1,
                    0x3FF,
                    0x400,
                    0x7BFF,
                    0x7C00,
                    0x7E00,
                    0x7C01,
                    0x3C00,
                    0x3800,
                    r.getrandbits(15),
                    0x3000 + r.getrandbits(12),
                ]
            )
            | r.getrandbits(1) << 15
        )
        return half() | half() << 16
    return r.choice(
        [
            0,
            1,
            2,
            31,
            32,
            33,
            255,
            256,
            0x7FFF,
            0x8000,
            0xFFFF,
            0x7FFFFFFF,
            0x80000000,
            0xFFFFFFFF,
            r.getrandbits(6),
            r.getrandbits(16),
            ~r.getrandbits(8) & 0xFFFFFFFF,
        ]
    )


def random_pair(r, kind):
    if kind != "d":
        return random_word(r, kind), random_word(r, kind)
    if r.random() < 0.6:
        number = r.choice([-1, 1]) * r.random() * 2.0 ** r.randint(-40, 40)
    else:
        number = r.choice(
            [
                0.0,
                1.0,
                0.5,
                5e-324,
                2.2250738585072014e-308,
                1.7976931348623157e308,
                float("inf"),
                float("nan"),
                2147483647.5,
                -2147483648.5,
                4294967295.5,
                3.5,
            ]
        )
        number = -number if r.random() < 0.5 else number
    return struct.unpack("<II", struct.pack("<d", number))


KINDS = "fhbds"  # kinds of inputs; s: for scalar and LDS instructions


def kind_of(form):
    if isinstance(form, other.Form):
        return "s"
    t = form.types[0] if form.types[0] != "b" or "F" not in form.types else ("h" if form.name.endswith("f16") else "f")
    return {"F": "f", "k": "h", "P": "h", "m": "f", "Q": "f", "I": "b", "w": "b", "n": "b", "q": "b", "j": "h"}.get(t, t)


def inputs():
    r = random.Random(20261126)
    rows = []
    for kind in KINDS[:-1]:
        for n in range(ROWS):
            row = [w for _ in range(3) for w in random_pair(r, kind)] + [r.getrandbits(32), r.getrandbits(1)]
            if r.random() < 0.15:
                row[2:4] = row[0:2]  # makes two sources equal
            if kind == "b" and r.random() < 0.5:
                row[4] = struct.unpack("<I", struct.pack("<f", 2.0 ** r.randint(-20, 20)))[0]
                row[2] = row[4] if r.random() < 0.5 else row[2]
            if kind in "fd" and n % 8 == 5:
                row[4:6] = row[0:2]  # v_div_scale: the first source must equal the numerator
            rows.append(row)
    return rows + [other.random_row(r) for _ in range(ROWS)]


# ---- the expected result
def source_bits(form, rows, lane, k, mode):
    """Bits of source k of a lane, after all modifiers. None if DPP gives this lane no source."""
    t, how = form.types[k], form.how
    if t == "M":
        return rows[lane][7] & 1
    if k == 3:
        return how["bitop3"]
    if k == 0 and "constant" in how:
        return (
            struct.unpack("<I", struct.pack("<f", float(how["constant"])))[0] if t == "f" else int(how["constant"]) & 0xFFFFFFFF
        )
    row = rows[lane - lane % 64] if k == 0 and how.get("scalar") else rows[lane]
    if k == 0 and "dpp" in how:
        at = DPP[how["dpp"]](lane % 64)
        if at is None:
            return None
        row = [0] * WORDS if at == "zero" else rows[lane - lane % 64 + at]
    x = row[2 * k]
    if is_wide(t):
        x |= row[2 * k + 1] << 32
    if "sdwa" in how:
        first, count = PARTS[how["sdwa"][2 + k]]
        x = x >> first & (1 << count) - 1
        if k == 0 and how["sdwa"][4]:
            x = exact.signed(x, count) & 0xFFFFFFFF
    if t in "PI" or t == "Q":
        size, sign = (32, 1 << 31) if t == "Q" else (16, 1 << 15)
        low = how.get("op_sel", [0] * 3)[k]
        high = how.get("op_sel_hi", [1] * 3)[k] if form.name != "v_pk_mov_b32" else low
        part = [x >> size * which & (1 << size) - 1 for which in (low, high)]
        part = [p ^ (sign if how.get(key, [0] * 3)[k] else 0) for p, key in zip(part, ("neg_lo", "neg_hi"))]
        part = [flush_of(p, {"P": "h", "I": "b", "Q": "f"}[t], mode) for p in part]
        return part[0] | part[1] << size
    if t == "n":
        return x >> 8 * how.get("byte", 0) & 255
    half = t == "m" and how.get("op_sel_hi", [0] * 3)[k]
    if half:
        x = x >> (16 if how["op_sel"][k] else 0) & 0xFFFF
    f = F16 if half else FLOATS.get(t, F32)
    if t in "hkw":
        x &= 0xFFFF
    if how.get("abs") == k:
        x &= ~f.sign
    if how.get("neg") == k:
        x ^= f.sign
    x = flush_of(x, "h" if half else "f" if t == "m" else t, mode)
    return exact.resized(x, F16, F32) | (0x7FC00000 if exact.is_nan(x, F16) else 0) if half else x


def flush_of(x, t, mode, results=False):
    """Flushes a subnormal. Sources are flushed unless bit 0 (f32) or 2 (f16, f64) of `mode` is set, results unless bit 1 or 3 is set."""
    bit = {"f": 0, "h": 2, "k": 2, "d": 2}.get(t)
    return x if bit is None or mode >> bit + results & 1 else exact.flushed(x, FLOATS[t])


def modified(form, bits, old, mode):
    """Applies output modifier, flush and clamp to a result, and puts it into its part of the register."""
    how, t = form.how, form.result[0]
    if t in ("f", "h") or t == "k":
        f = FLOATS[t]
        if "omod" in how:
            factor = {"mul:2": 0x40000000, "mul:4": 0x40800000, "div:2": 0x3F000000}[how["omod"]]
            bits = exact.multiply(bits, factor, F32)
            bits = 0 if exact.is_zero(bits, F32) else bits
        bits = flush_of(bits, t, mode, True)
        if "clamp" in how:
            bits = 0 if exact.is_nan(bits, f) or bits & f.sign else min(bits, 0x3F800000)
    elif t in "PQ":
        size, kind = (32, "f") if t == "Q" else (16, "h")
        if form.name != "v_pk_mov_b32":
            bits = sum(flush_of(bits >> k & (1 << size) - 1, kind, mode, True) << k for k in (0, size))
        elif not mode & 2:
            bits = sum(flush_of(bits >> k & (1 << 32) - 1, kind, mode, True) << k for k in (0, 32))
    elif t == "d":
        bits = flush_of(bits, t, mode, True)
    first, count = 0, 64 if is_wide(t) else 32
    unused = "UNUSED_PAD"
    if t == "n":
        first, count, unused = 8 * how.get("byte", 0), 8, "UNUSED_PRESERVE"
    elif t in "kj":
        first, count, unused = 16 if how.get("high") or form.name == "v_fma_mixhi_f16" else 0, 16, "UNUSED_PRESERVE"
    elif t in "hw":
        bits &= 0xFFFF
    if "sdwa" in how:
        (first, count), unused = PARTS[how["sdwa"][0]], how["sdwa"][1]
    if count >= 32:
        return bits
    kept = (1 << count) - 1 << first
    if unused == "UNUSED_PRESERVE":
        return bits << first & kept | old & ~kept & 0xFFFFFFFF
    if unused == "UNUSED_SEXT":
        return exact.signed(bits, count) << first & 0xFFFFFFFF
    return bits << first & kept


def expected(form, rows, lane, mode, context):
    """Accepted results of a lane: (set of bits, bit of the mask or None)."""
    old = rows[lane][6] if not is_wide(form.result[0]) else 0
    sources = [source_bits(form, rows, lane, k, mode) for k in range(len(form.types))]
    if None in sources or ("dpp" in form.how and not is_written(form.how["dpp"], lane % 64)):
        return {old}, None
    context.lane = lane % 64
    result = second.DEFINITIONS[form.name](sources, context)
    if result is None:
        return None, None
    bit = None
    if isinstance(result, tuple):
        result, bit = result
    if form.result[0] == "M":
        return {0}, bit
    return {modified(form, r, old, mode) for r in (result if isinstance(result, set) else {result})}, bit


def nan_parts(form):
    """(shift, format) of each float in a result that may be a NaN with any payload."""
    t = form.result[0]
    if form.name in second.EXACT_NAN and not any(key in form.how for key in ("omod",)):
        return []
    if form.name.startswith(("v_cvt_scalef32_pk_f16", "v_cvt_pk_f16", "v_cvt_pkrtz")) or t == "P":
        return [(0, F16), (16, F16)]
    if form.name.startswith(("v_cvt_scalef32_pk_bf16", "v_cvt_pk_bf16")):
        return [(0, BF16), (16, BF16)]
    if t == "Q" or form.name.startswith(("v_cvt_pk_f32", "v_cvt_scalef32_pk_f32")):
        return [(0, F32), (32, F32)] if form.name != "v_pk_mov_b32" else []
    if form.name.startswith("v_cvt_scalef32_f16"):
        t = "k"
    first = 16 if form.how.get("high") or form.name == "v_fma_mixhi_f16" else 0
    if "sdwa" in form.how:
        first, count = PARTS[form.how["sdwa"][0]]
        if count < (16 if t == "h" else 32):
            return []
    return [(first, FLOATS[t])] if t in FLOATS else []


def same(form, got, want):
    if got == want:
        return True
    rest = 0
    for shift, f in nan_parts(form):
        if "UNUSED_SEXT" in form.how.get("sdwa", ()) and f.bits == 16:  # extends the sign of a NaN
            got, want = got & 0xFFFF, want & 0xFFFF
        part = [v >> shift & (1 << f.bits) - 1 for v in (got, want)]
        if part[0] != part[1] and not all(exact.is_nan(p, f) for p in part):
            return False
        rest |= (1 << f.bits) - 1 << shift
    return got & ~rest == want & ~rest


def partial_nan(form, rows):
    """True if SDWA stores only a part of a float: a part of a NaN has undefined bits, so lanes with NaN are not compared."""
    return "sdwa" in form.how and form.result in "fh" and not nan_parts(form)


def check(form, rows, results, mode, context):
    """A message about the first lane that differs, or None."""
    for lane in range(ROWS):
        got = results[lane][0] | (results[lane][1] << 32 if is_wide(form.result[0]) else 0)
        want, bit = expected(form, rows, lane, mode, context)
        if want is None:
            continue
        fits = form.result[0] == "M" or any(same(form, got, w) for w in want)
        if fits and (bit is None or results[lane][2] == bit):
            continue
        if partial_nan(form, rows):
            plain = Form(
                form.name, form.types, form.result, **{**form.how, "sdwa": ("DWORD", "UNUSED_PAD") + form.how["sdwa"][2:]}
            )
            if any(exact.is_nan(w, FLOATS[form.result]) for w in expected(plain, rows, lane, mode, context)[0]):
                continue
        sources = [source_bits(form, rows, lane, k, mode) for k in range(len(form.types))]
        return (
            f"{form.label()}, MODE {mode:#x}, lane {lane}: sources {' '.join('-' if s is None else hex(s) for s in sources)}: "
            f"expected {' or '.join(sorted(map(hex, want)))}{'' if bit is None else f' and bit {int(bit)}'}, got {got:#x} and bit {results[lane][2]}"
        )
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=("write", "run"))
    parser.add_argument("files", nargs="+")
    parser.add_argument("--table", required=True)
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--planted", action="store_true")
    arguments = parser.parse_args()
    table = table_of(arguments.table)
    missing = [name for name, _, _ in table if name not in second.DEFINITIONS]
    if missing:
        sys.exit(f"no second definition of {', '.join(missing)}; try to add it to second_definition.py")
    forms, others = forms_of(table, arguments.architecture), other.forms_of(os.path.dirname(arguments.table), arguments.architecture)
    forms = plant(forms) + other.plant(others) if arguments.planted else forms + others
    if arguments.job == "write":
        with open(arguments.files[0], "w", encoding="utf-8") as out:
            kernel_of = lambda n, form: (other.kernel if isinstance(form, other.Form) else kernel)(n, form)
            out.write(HEAD + other.HEAD + "".join(kernel_of(n, form) for n, form in enumerate(forms)))
        return 0
    rows = inputs()
    modes = [0xF, 0x1F, 0x0] if not arguments.planted else [0xF]
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/inputs", "wb") as out:
            out.write(struct.pack(f"<{WORDS * len(rows)}I", *(w for row in rows for w in row)))
        with open(folder + "/calls", "w", encoding="utf-8") as out:
            for mode in modes:
                for n, form in enumerate(forms):
                    out.write(f"f{n} {KINDS.index(kind_of(form)) * ROWS} {mode}\n")
        subprocess.run(
            [
                arguments.files[0],
                "--values",
                arguments.files[1],
                folder + "/inputs",
                folder + "/calls",
                str(ROWS),
                folder + "/outputs",
            ],
            check=True,
        )
        data = open(folder + "/outputs", "rb").read()
    words = struct.unpack(f"<{len(data) // 4}I", data)
    wrong, at = {}, 0
    for mode in modes:
        context = exact.Context(arguments.architecture == "gfx950", bool(mode & 16))
        for form in forms:
            begin = KINDS.index(kind_of(form)) * ROWS
            results = [words[at + 3 * i : at + 3 * i + 3] for i in range(ROWS)]
            at += 3 * ROWS
            if isinstance(form, other.Form):
                difference = other.check(form, rows[begin : begin + ROWS], results, mode)
            else:
                difference = check(form, rows[begin : begin + ROWS], results, mode, context)
            if difference:
                wrong.setdefault(form.label(), difference)
    instructions = len({form.name for form in forms})
    print(
        f"{instructions} instructions in {len(forms)} forms on {ROWS} lanes in {len(modes)} modes of {arguments.architecture}: {len(wrong)} differ"
    )
    if arguments.planted:
        unseen = [f"{form.name} executed as {form.executed}" for form in forms if form.label() not in wrong]
        print(
            "\n".join(["a planted instruction is not reported:"] + unseen) if unseen else "every planted instruction is reported"
        )
        return 1 if unseen else 0
    print("\n".join(wrong.values()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
