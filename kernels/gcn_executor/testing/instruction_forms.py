"""The forms of each vector instruction that instruction_check.py compares, and a HIP kernel for each form."""

import re

from exact_floats import F16, F32, F64

WAVES = 4
ROWS = 64 * WAVES
WORDS = 8  # words of an input row: sources x, y, z (two words each), the old result, and the lane's bit of the mask
GFX950 = re.compile(r"v_(maximum3|minimum3|bitop3|ashr_pk|prng|cvt_scalef32|cvt_pk_bf16|cvt_pk_f16_f32)")
OLD_E32 = {"v_accvgpr_mov_b32"}  # has no VOP3 encoding
NO_SIGNS = re.compile(
    r"v_(cvt_pk_(u8|u16|i16)|cvt_f32_(fp8|bf8|ubyte|u32|i32)|cvt_(pk_f32|f64|f16)_.?(fp8|bf8|[iu](16|32))|cvt_scalef32|mul_legacy|ldexp_f16)"
)
VOP3_ONLY = ("v_mul_lo_u32", "v_mul_hi", "v_mbcnt", "v_cvt_pk", "v_bfm", "v_bcnt", "v_ldexp_f32", "v_prng")
FLOATS = {"f": F32, "F": F32, "h": F16, "k": F16, "d": F64}
# Sets of instructions with equal results for all operands that a kernel can give them. Replacing one by another of its set changes no result.
SAME = [
    {"v_add_u32", "v_add_i32"},
    {"v_sub_u32", "v_sub_i32"},
    {"v_rcp_f32", "v_rcp_iflag_f32"},
    {"v_mad_u16", "v_mad_legacy_u16"},
    {"v_mov_b32", "v_accvgpr_read_b32", "v_accvgpr_write_b32", "v_accvgpr_mov_b32"},
    {"v_pk_add_u16", "v_pk_add_i16"},
    {"v_pk_sub_u16", "v_pk_sub_i16"},
    {"v_pk_mad_u16", "v_pk_mad_i16"},
    {"v_fma_mixlo_f16", "v_fma_mixhi_f16"},
]


class Form:
    def __init__(self, name, types, result, **how):
        self.name, self.types, self.result, self.how, self.executed = name, types, result, how, name

    def label(self):
        return self.name + "".join(f" {key}={value}" for key, value in self.how.items())


def table_of(path):
    """(name, source types, result type) of each instruction, comparisons included."""
    text = open(path, encoding="utf-8").read()
    rows = re.findall(r'^(?:VALUE|APPROXIMATE|BOTH|SPECIAL)\((\w+), "(\w+)", "(\w+)"', text, re.M)
    for family, kind, types in re.findall(r'^COMPARE_(FLOATS|INTEGERS)\((\w+), "(\w+)"', text, re.M):
        block = re.search(r"#define COMPARE_%s\(.*?(?=\n#define|\nCOMPARE_)" % family, text, re.S).group(0)
        rows += [(f"v_cmp_{test}_{kind}", types, "M") for test in re.findall(r"TEST\((\w+)_##kind", block)]
    rows += [("v_cmp_" + name, types, "M") for name, types in re.findall(r'^TEST\((\w+), "(\w+)"', text, re.M)]
    return rows


def forms_of(rows, architecture):
    forms, seen = [], set()
    for name, types, result in rows:
        if GFX950.match(name) and architecture != "gfx950":
            continue
        plain = (
            [Form(name, types, result, bitop3=table) for table in (0x6C, 0xE8, 0x12)]
            if "bitop3" in name
            else [Form(name, types, result)]
        )
        forms += plain
        if name.endswith("_clamp") or "bitop3" in name or "accvgpr" in name or name in OLD_E32:
            continue
        first = (types, result) not in seen
        seen.add((types, result))
        floats = [t in "fFhkd" for t in types]
        if any(floats) and not NO_SIGNS.match(name) and not name.startswith(("v_div_fmas", "v_div_scale")):
            forms.append(Form(name, types, result, neg=floats.index(True)))
            forms.append(Form(name, types, result, abs=len(floats) - 1 - floats[::-1].index(True)))
        if types[0] in "PI" or types[0] == "Q" and name != "v_pk_mov_b32":
            n = len(types)
            forms.append(Form(name, types, result, op_sel=[1] + [0] * (n - 1), op_sel_hi=[0] * (n - 1) + [1]))
            if types[0] != "I":
                forms.append(Form(name, types, result, neg_lo=[0, 1] + [1] * (n - 2), neg_hi=[1] + [0] * (n - 1)))
        if types == "mmm":
            forms.append(Form(name, types, result, op_sel=[1, 0, 1], op_sel_hi=[1, 1, 0]))
            forms.append(Form(name, types, result, op_sel=[0, 0, 1], op_sel_hi=[0, 1, 1]))
        if name == "v_pk_mov_b32":
            forms.append(Form(name, types, result, op_sel=[1, 0]))
        if "n" in (types[0], result[0]):
            forms += [Form(name, types, result, byte=k) for k in (1, 2, 3)]
        if result in "kj" and not name.startswith(("v_fma_mix", "v_bitop")) and types[0] not in "bn":
            forms.append(Form(name, types, result, high=1))
        if (
            result[0] in "fd"
            and result != "fM"
            and not NO_SIGNS.match(name)
            and not name.startswith("v_cvt")
            and "M" not in types
        ):
            forms.append(Form(name, types, result, clamp=1) if result == "f" else plain[0])
            if result == "f" and first and types != "mmm":
                forms += [Form(name, types, result, omod=o) for o in ("mul:2", "mul:4", "div:2")]
        if first and result in "fhb" and types in ("ff", "hh", "bb", "f", "h", "b") and not name.startswith(VOP3_ONLY):
            forms += [Form(name, types, result, dpp=d) for d in DPP]
            forms += [Form(name, types, result, sdwa=s) for s in SDWA if not s[4] or types[0] == "b"]
        if first and len(types) > 1 and types[0] in "fbhP" and "M" not in types + result:
            forms.append(Form(name, types, result, scalar=1))
            if types[0] in "fb" and name not in ("v_mbcnt_lo_u32_b32",):
                forms.append(Form(name, types, result, constant={"f": "-4.0", "b": "-5"}[types[0]]))
    unique = {form.label(): form for form in forms}
    return list(unique.values())


# ---- DPP: source lane of each lane, from AMD's description of the controls
DPP = {
    "quad_perm:[3,1,0,2]": lambda i: i // 4 * 4 + [3, 1, 0, 2][i % 4],
    "row_shl:3": lambda i: i + 3 if i % 16 + 3 < 16 else None,
    "row_shr:5": lambda i: i - 5 if i % 16 >= 5 else None,
    "row_ror:2": lambda i: i // 16 * 16 + (i % 16 - 2) % 16,
    "row_mirror": lambda i: i // 16 * 16 + 15 - i % 16,
    "row_half_mirror": lambda i: i // 8 * 8 + 7 - i % 8,
    "row_bcast:15": lambda i: i // 16 * 16 - 1 if i >= 16 else None,
    "row_bcast:31": lambda i: 31 if i >= 32 else None,
    "wave_shl:1": lambda i: i + 1 if i < 63 else None,
    "wave_shr:1": lambda i: i - 1 if i > 0 else None,
    "wave_rol:1": lambda i: (i + 1) % 64,
    "wave_ror:1": lambda i: (i - 1) % 64,
    "row_newbcast:9": lambda i: i // 16 * 16 + 9,
    "row_shr:1 bound_ctrl:1": lambda i: i - 1 if i % 16 else "zero",
    "row_shl:1 row_mask:0x5 bank_mask:0xc": lambda i: i + 1 if i % 16 < 15 else None,
}


def is_written(dpp, i):
    rows, banks = re.search(r"row_mask:(\w+)", dpp), re.search(r"bank_mask:(\w+)", dpp)
    return (int(rows.group(1), 16) if rows else 15) >> i // 16 & 1 and (
        int(banks.group(1), 16) if banks else 15
    ) >> i // 4 % 4 & 1


# (dst_sel, dst_unused, src0_sel, src1_sel, sext of source 0)
SDWA = [
    ("BYTE_2", "UNUSED_PRESERVE", "WORD_1", "BYTE_1", 0),
    ("WORD_1", "UNUSED_PAD", "DWORD", "WORD_0", 0),
    ("WORD_0", "UNUSED_SEXT", "BYTE_3", "DWORD", 0),
    ("DWORD", "UNUSED_PAD", "WORD_1", "WORD_1", 1),
]
PARTS = {
    "BYTE_0": (0, 8),
    "BYTE_1": (8, 8),
    "BYTE_2": (16, 8),
    "BYTE_3": (24, 8),
    "WORD_0": (0, 16),
    "WORD_1": (16, 16),
    "DWORD": (0, 32),
}


# ---- kernels
HEAD = """// Written by instruction_check.py: one kernel for each form of an instruction.
#include <hip/hip_runtime.h>
typedef unsigned long long u64;
#define KERNEL(n) extern "C" __global__ void n(const unsigned* in, unsigned* out, unsigned mode)
#define BEGIN \\
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x; const unsigned* s = in + 8 * i; const bool bit = s[7] & 1; \\
  const u64 mask = __builtin_amdgcn_ballot_w64(bit); (void)mask; unsigned r0 = s[6], r1 = 0; u64 bits = 0, wide = 0; (void)bits; (void)wide; \\
  const unsigned x0 = s[0], y0 = s[2], z0 = s[4]; const u64 x1 = x0 | u64(s[1]) << 32, y1 = y0 | u64(s[3]) << 32, z1 = z0 | u64(s[5]) << 32; \\
  (void)y0; (void)z0; (void)x1; (void)y1; (void)z1; \\
  asm volatile("s_setreg_b32 hwreg(HW_REG_MODE, 4, 4), %0\\ns_setreg_b32 hwreg(HW_REG_MODE, 23, 1), %1" ::"s"(mode & 15), "s"(mode >> 4));
#define END out[3 * i] = r0; out[3 * i + 1] = r1; out[3 * i + 2] = unsigned(bits >> (i & 63) & 1);
"""


def is_wide(t):
    return t in "dqQ"


def kernel(number, form):
    name, how = form.executed, form.how
    clamp = " clamp" if name.endswith("_clamp") or "clamp" in how else ""
    name = name[:-6] if name.endswith("_clamp") else name
    outputs, inputs, operands = [], [], []
    has_mask = "M" in form.result
    if form.result[0] != "M":
        outputs.append('"+v"(wide)' if is_wide(form.result[0]) else '"+v"(r0)')
        operands.append("%0")
    if has_mask:
        outputs.append('"=s"(bits)')
        operands.append(f"%{len(outputs) - 1}")
    if "accvgpr" in name:
        text = {
            "v_accvgpr_read_b32": "v_accvgpr_write_b32 a3, %1\\ns_nop 4\\nv_accvgpr_read_b32 %0, a3",
            "v_accvgpr_write_b32": "v_accvgpr_write_b32 a3, %1\\ns_nop 4\\nv_accvgpr_read_b32 %0, a3",
            "v_accvgpr_mov_b32": "v_accvgpr_write_b32 a2, %1\\ns_nop 4\\nv_accvgpr_mov_b32 a3, a2\\ns_nop 4\\nv_accvgpr_read_b32 %0, a3",
        }[name]
        return f'KERNEL(f{number}) {{ BEGIN asm volatile("{text}" : "=v"(r0) : "v"(x0) : "a2", "a3"); END }}\n'
    before, clobbers = "", ""
    for k, t in enumerate(form.types):
        variable = "xyz"[k] if k < 3 else None
        at = f"%{len(outputs) + len(inputs)}"
        if t == "M":
            inputs.append('"s"(mask)')
            if name.startswith("v_div_fmas"):
                before, clobbers = f"s_mov_b64 vcc, {at}\\ns_nop 4\\n", ' : "vcc"'
                continue
        elif "bitop3" in name and k == 3:
            continue
        elif how.get("scalar") and k == 0:
            inputs.append(f'"s"(__builtin_amdgcn_readfirstlane(int({variable}0)))')
        elif "constant" in how and k == 0:
            operands.append(how["constant"])
            continue
        else:
            inputs.append(f'"v"({variable}{1 if is_wide(t) else 0})')
        if how.get("neg") == k:
            at = "-" + at
        if how.get("abs") == k:
            at = f"|{at}|"
        if "sdwa" in how and k == 0 and how["sdwa"][4]:
            at = f"sext({at})"
        operands.append(at)
    modifiers = clamp
    suffix = ""
    for key in ("op_sel", "op_sel_hi", "neg_lo", "neg_hi"):
        if key in how:
            modifiers += f" {key}:[{','.join(map(str, how[key]))}]"
    if "byte" in how:
        low, high = how["byte"] & 1, how["byte"] >> 1
        modifiers += f" op_sel:[{low},{high},0]" if form.types[0] == "n" else f" op_sel:[0,0,{low},{high}]"
    if "high" in how:
        modifiers += f" op_sel:[{','.join(['0'] * len(form.types) + ['1'])}]"
    if "omod" in how:
        modifiers += " " + how["omod"]
    if "bitop3" in how:
        modifiers += f" bitop3:{how['bitop3']:#x}"
    if "dpp" in how:
        suffix, modifiers = "_dpp", modifiers + " " + how["dpp"]
        if "row_mask" not in how["dpp"]:
            modifiers = (
                modifiers.replace(" bound_ctrl", " row_mask:0xf bank_mask:0xf bound_ctrl")
                if "bound" in modifiers
                else modifiers + " row_mask:0xf bank_mask:0xf"
            )
    if "sdwa" in how:
        d = how["sdwa"]
        suffix = "_sdwa"
        modifiers += f" dst_sel:{d[0]} dst_unused:{d[1]} src0_sel:{d[2]}" + (f" src1_sel:{d[3]}" if len(form.types) > 1 else "")
    if any(key in how for key in ("neg", "abs", "omod", "clamp")) or clamp or (name.startswith("v_cmp") and "class" not in name):
        suffix = suffix or ("_e64" if not name.startswith(("v_pk", "v_fma_mix", "v_dot")) and ENCODED_TWICE.match(name) else "")
    if (
        re.match(r"v_(add|sub|subrev|addc|subb|subbrev)_co_u32", name)
        or name.startswith("v_cmp_class")
        or name == "v_cndmask_b32"
    ):
        suffix = "_e64"
    text = f"{before}{name}{suffix} {', '.join(operands)}{modifiers}"
    copy = " r0 = unsigned(wide); r1 = unsigned(wide >> 32);" if form.result[0] in "dqQ" else ""
    return f'KERNEL(f{number}) {{ BEGIN asm volatile("{text}" : {", ".join(outputs)} : {", ".join(inputs)}{clobbers});{copy} END }}\n'


ENCODED_TWICE = re.compile(
    r"v_(add|sub|subrev|mul|max|min|mul_legacy)_(f32|f16|u32|f64)$|v_(rndne|trunc|floor|ceil|fract|frexp_mant|frexp_exp_i32|rcp|rcp_iflag|rsq|sqrt|exp|log|sin|cos|"
    r"ldexp)_f(16|32|64)$|v_cvt_(f|i|u|rpi|flr)\w+$|v_cmp"
)


def plant(forms):
    """Plants a mistake in every form: it executes the next instruction with the same operand types. Returns the forms that have one."""
    groups = {}
    for form in forms:
        if not form.how and "accvgpr" not in form.name:
            groups.setdefault((form.types, form.result), []).append(form)
    planted = []
    for group in groups.values():
        for k, form in enumerate(group):
            other = next(
                (o.name for o in group[k + 1 :] + group[:k] if not any(form.name in s and o.name in s for s in SAME)), None
            )
            if other is not None:
                form.executed = other
                planted.append(form)
    return planted
