"""A second definition of each scalar and LDS instruction, from AMD's pseudocode, and a HIP kernel for each form.

SCALARS[name](x, y, scc, old) is the result, or a pair of the result and SCC. LDS: see access(), LANES and transposed().
"""

import re

from exact_floats import add, F32, F64, MASK32, MASK64, signed

S32 = lambda x: signed(x, 32)


def carry(total):
    return total & MASK32, not 0 <= total <= MASK32


def overflowing(n):
    return n & MASK32, n != signed(n, 32)


# ---- scalar instructions
SCALARS = {}


def define_scalars(bits, **functions):
    """Defines instructions that set SCC to 1 if the result is not zero."""
    for name, function in functions.items():

        def result(x, y, scc, old, f=function):
            r = f(x, y) & (1 << bits) - 1
            return r, r != 0

        SCALARS["s_" + name] = result


def field(x, at, bits):
    """Bits of x, with the sign extended: `at` holds the offset in its low bits and the width in bits 16 to 22."""
    return x >> (at & bits - 1) & (1 << (at >> 16 & 0x7F)) - 1


def signed_field(x, at, bits):
    width = at >> 16 & 0x7F
    return signed(field(signed(x, bits), at, bits), min(width, bits)) if width else 0


for bits, kind in ((32, "b32"), (64, "b64")):
    all_ones = (1 << bits) - 1
    define_scalars(
        bits,
        **{
            f"and_{kind}": lambda x, y: x & y,
            f"or_{kind}": lambda x, y: x | y,
            f"xor_{kind}": lambda x, y: x ^ y,
            f"andn2_{kind}": lambda x, y: x & ~y,
            f"orn2_{kind}": lambda x, y: x | ~y,
            f"nand_{kind}": lambda x, y: ~(x & y),
            f"nor_{kind}": lambda x, y: ~(x | y),
            f"xnor_{kind}": lambda x, y: ~(x ^ y),
            f"not_{kind}": lambda x, y: ~x,
            f"lshl_{kind}": lambda x, y, n=bits: x << (y & n - 1),
            f"lshr_{kind}": lambda x, y, n=bits: x >> (y & n - 1),
            f"ashr_i{bits}": lambda x, y, n=bits: signed(x, n) >> (y & n - 1),
            f"bfe_u{bits}": lambda x, y, n=bits: field(x, y, n),
            f"bfe_i{bits}": lambda x, y, n=bits: signed_field(x, y, n),
        },
    )
    define_scalars(32, **{f"bcnt1_i32_{kind}": lambda x, y: bin(x).count("1"), f"bcnt0_i32_{kind}": lambda x, y, n=bits: n - bin(x).count("1")})
    SCALARS[f"s_mov_{kind}"] = lambda x, y, scc, old: x
    SCALARS[f"s_cmov_{kind}"] = lambda x, y, scc, old: x if scc else old
    SCALARS[f"s_cselect_{kind}"] = lambda x, y, scc, old: x if scc else y
    SCALARS[f"s_brev_{kind}"] = lambda x, y, scc, old, n=bits: int(f"{x:0{n}b}"[::-1], 2)
    SCALARS[f"s_ff1_i32_{kind}"] = lambda x, y, scc, old: (x & -x).bit_length() - 1 & MASK32
    SCALARS[f"s_ff0_i32_{kind}"] = lambda x, y, scc, old, m=all_ones: (~x & m & -(~x & m)).bit_length() - 1 & MASK32
    SCALARS[f"s_flbit_i32_{kind}"] = lambda x, y, scc, old, n=bits: n - x.bit_length() if x else MASK32
define_scalars(
    32,
    abs_i32=lambda x, y: abs(S32(x)),
    absdiff_i32=lambda x, y: abs(S32(x - y)),
)
SCALARS |= {
    "s_add_u32": lambda x, y, scc, old: carry(x + y),
    "s_sub_u32": lambda x, y, scc, old: carry(x - y),
    "s_addc_u32": lambda x, y, scc, old: carry(x + y + scc),
    "s_subb_u32": lambda x, y, scc, old: carry(x - y - scc),
    "s_add_i32": lambda x, y, scc, old: overflowing(S32(x) + S32(y)),
    "s_sub_i32": lambda x, y, scc, old: overflowing(S32(x) - S32(y)),
    "s_addk_i32": lambda x, y, scc, old: overflowing(S32(old) + S32(x)),
    "s_mulk_i32": lambda x, y, scc, old: old * x & MASK32,
    "s_movk_i32": SCALARS["s_mov_b32"],
    "s_cmovk_i32": SCALARS["s_cmov_b32"],
    "s_mul_i32": lambda x, y, scc, old: x * y & MASK32,
    "s_mul_hi_u32": lambda x, y, scc, old: x * y >> 32,
    "s_mul_hi_i32": lambda x, y, scc, old: S32(x) * S32(y) >> 32 & MASK32,
    "s_min_i32": lambda x, y, scc, old: (min(x, y, key=S32), S32(x) < S32(y)),
    "s_max_i32": lambda x, y, scc, old: (max(x, y, key=S32), S32(x) >= S32(y)),
    "s_min_u32": lambda x, y, scc, old: (min(x, y), x < y),
    "s_max_u32": lambda x, y, scc, old: (max(x, y), x >= y),
    "s_bfm_b32": lambda x, y, scc, old: ((1 << (x & 31)) - 1 << (y & 31)) & MASK32,
    "s_flbit_i32": lambda x, y, scc, old: next((i for i in range(1, 32) if x >> 31 - i & 1 != x >> 31), MASK32),
    "s_sext_i32_i8": lambda x, y, scc, old: signed(x, 8) & MASK32,
    "s_sext_i32_i16": lambda x, y, scc, old: signed(x, 16) & MASK32,
    "s_pack_ll_b32_b16": lambda x, y, scc, old: x & 0xFFFF | (y & 0xFFFF) << 16,
    "s_pack_lh_b32_b16": lambda x, y, scc, old: x & 0xFFFF | y >> 16 << 16,
    "s_pack_hh_b32_b16": lambda x, y, scc, old: x >> 16 | y >> 16 << 16,
    "s_bitset0_b32": lambda x, y, scc, old: old & ~(1 << (x & 31)),
    "s_bitset1_b32": lambda x, y, scc, old: old | 1 << (x & 31),
    "s_bitcmp0_b32": lambda x, y, scc, old: (old, not x >> (y & 31) & 1),
    "s_bitcmp1_b32": lambda x, y, scc, old: (old, x >> (y & 31) & 1),
    "s_cbranch_scc0": lambda x, y, scc, old: not scc,
    "s_cbranch_scc1": lambda x, y, scc, old: scc,
    "s_cbranch_vccz": lambda x, y, scc, old: x == 0,
    "s_cbranch_vccnz": lambda x, y, scc, old: x != 0,
    "s_cbranch_execz": lambda x, y, scc, old: x == 0,
    "s_cbranch_execnz": lambda x, y, scc, old: x != 0,
    "s_branch": lambda x, y, scc, old: True,
}
for shift in (1, 2, 3, 4):
    SCALARS[f"s_lshl{shift}_add_u32"] = lambda x, y, scc, old, n=shift: ((x << n) + y & MASK32, (x << n) + y > MASK32)
for name, test in {"eq": int.__eq__, "lg": int.__ne__, "gt": int.__gt__, "ge": int.__ge__, "lt": int.__lt__, "le": int.__le__}.items():
    SCALARS[f"s_cmp_{name}_i32"] = SCALARS[f"s_cmpk_{name}_i32"] = lambda x, y, scc, old, t=test: (old, t(S32(x), S32(y)))
    SCALARS[f"s_cmp_{name}_u32"] = SCALARS[f"s_cmpk_{name}_u32"] = lambda x, y, scc, old, t=test: (old, t(x, y))
    SCALARS[f"s_cmp_{name}_u64"] = SCALARS[f"s_cmp_{name}_u32"]
# These instructions return the old EXEC (y). SAVED computes the new EXEC from x and y.
SAVED = {
    "s_and_saveexec_b64": lambda x, y: x & y,
    "s_or_saveexec_b64": lambda x, y: x | y,
    "s_xor_saveexec_b64": lambda x, y: x ^ y,
    "s_andn2_saveexec_b64": lambda x, y: x & ~y & MASK64,
    "s_andn1_saveexec_b64": lambda x, y: ~x & y & MASK64,
    "s_orn2_saveexec_b64": lambda x, y: (x | ~y) & MASK64,
}


# ---- LDS instructions
ATOMICS = {
    "add_u32": lambda m, d: m + d,
    "sub_u32": lambda m, d: m - d,
    "min_u32": min,
    "max_u32": max,
    "min_i32": lambda m, d: min(m, d, key=S32),
    "max_i32": lambda m, d: max(m, d, key=S32),
    "and_b32": lambda m, d: m & d,
    "or_b32": lambda m, d: m | d,
    "xor_b32": lambda m, d: m ^ d,
    "wrxchg_b32": lambda m, d: d,
    "add_f32": lambda m, d: add(m, d, F32),
    "add_u64": lambda m, d: m + d,
    "add_f64": lambda m, d: add(m, d, F64),
    "min_u64": min,
    "max_u64": max,
    "or_b64": lambda m, d: m | d,
    "and_b64": lambda m, d: m & d,
}


def access(name, places, memory, data, result):
    """Executes one lane's ds_read, ds_write or atomic. Changes `memory` (bytes) at the offsets `places`, and `result`."""
    moves = re.fullmatch(r"ds_(read|write)(?:2st64|2)?_([bui])(\d+)(_d16)?(_hi)?", name)
    if moves is None:
        operation, kind = re.fullmatch(r"ds_(\w+?)(?:_rtn)?_(\w+)", name).groups()
        n, at = int(kind[1:]) // 8, places[0]
        before = int.from_bytes(memory[at : at + n], "little")
        after = ATOMICS[f"{operation}_{kind}"](before, data[0] | (data[1] << 32 if n == 8 else 0)) & (1 << 8 * n) - 1
        memory[at : at + n] = after.to_bytes(n, "little")
        if "_rtn" in name:
            result[: n // 4] = [before >> 32 * k & MASK32 for k in range(n // 4)]
        return
    direction, kind, bits, is_half, is_high = moves.groups()
    n = int(bits) // 8
    for k, at in enumerate(places):
        if direction == "write":
            words = data[2 * k :] if len(places) > 1 else data
            number = sum(w << 32 * j for j, w in enumerate(words)) >> (16 if is_high else 0)
            memory[at : at + n] = (number & (1 << 8 * n) - 1).to_bytes(n, "little")
            continue
        number = int.from_bytes(memory[at : at + n], "little", signed=kind == "i")
        if is_half:
            shift = 16 if is_high else 0
            result[0] = result[0] & ~(0xFFFF << shift) | (number & 0xFFFF) << shift
        else:
            count = max(n // 4, 1)
            result[k * count : (k + 1) * count] = [number >> 32 * j & MASK32 for j in range(count)]


def pushed(addresses, data, active):
    result = [0] * 64
    for i in range(64):
        if active[i]:
            result[addresses[i] // 4 % 64] = data[i]
    return result


def pulled(sources):
    """An exchange in which each lane reads the data of another lane; data of inactive lanes read as 0."""
    return lambda addresses, data, active: [data[f] if active[f] else 0 for f in (sources(i, addresses) for i in range(64))]


# Exchanges of words between lanes: (addresses, data, active) of 64 lanes -> results of the active lanes.
LANES = {
    "ds_permute_b32": pushed,
    "ds_bpermute_b32": pulled(lambda i, addresses: addresses[i] // 4 % 64),
    "ds_swizzle_b32 offset:swizzle(QUAD_PERM,2,0,3,1)": pulled(lambda i, _: i - i % 4 + (2, 0, 3, 1)[i % 4]),
    'ds_swizzle_b32 offset:swizzle(BITMASK_PERM,"01pip")': pulled(lambda i, _: i & 32 | 8 | i & 4 | ~i & 2 | i & 1),
    "ds_swizzle_b32 offset:swizzle(SWAP,16)": pulled(lambda i, _: (i + 16) % 32 + i // 32 * 32),
    "ds_swizzle_b32 offset:swizzle(REVERSE,8)": pulled(lambda i, _: i // 8 * 8 + 7 - i % 8),
    "ds_swizzle_b32 offset:swizzle(BROADCAST,16,5)": pulled(lambda i, _: i // 16 * 16 + 5),
}


def transposed(bits, words):
    """ds_read_b64_tr_*: 16 lanes read a row-major matrix with 16 columns, 64 bits per lane. Each lane gets a column, as two words."""
    count, columns = 64 // bits, []
    for first in range(0, 64, 16):
        elements = [(low | high << 32) >> bits * k & (1 << bits) - 1 for low, high in words[first : first + 16] for k in range(count)]
        matrix = [elements[16 * k : 16 * (k + 1)] for k in range(count)]
        columns += [sum(row[lane] << bits * k for k, row in enumerate(matrix)) for lane in range(16)]
    return [[c & MASK32, c >> 32] for c in columns]


# ---- forms
UNCOMPARED = {"s_getpc_b64", "s_setpc_b64", "s_swappc_b64", "s_memtime", "s_memrealtime"}  # results are code addresses or the clock
SHAPES = {
    "ONE": ("b", "b"),
    "TWO": ("bb", "b"),
    "ONE64": ("q", "q"),
    "TWO64": ("qq", "q"),
    "SHIFT": ("qb", "q"),
    "NARROW": ("q", "b"),
    "COMPARE": ("bb", ""),
}
# Sets of instructions with equal results for all operands.
SAME = [{f"s_cmp_{test}_i32", f"s_cmp_{test}_u32"} for test in ("eq", "lg")] + [{"s_cbranch_vccz", "s_cbranch_execz"}]
SAME += [{f"s_cmpk_{test}_i32", f"s_cmpk_{test}_u32"} for test in ("eq", "lg")] + [{"s_cbranch_vccnz", "s_cbranch_execnz"}]


class Form:
    """`types`: source types of a scalar instruction (b 32 bits, q 64 bits); for an LDS instruction, the group from which planted mistakes come."""

    def __init__(self, name, types, result="", **how):
        self.name, self.types, self.result, self.how, self.executed = name, types, result, how, name
        self.is_lds = name.startswith("ds_")

    def label(self):
        return self.name + "".join(f" {key}={value}" for key, value in self.how.items())


def scalar_forms(text):
    """Reads the names from build_scalar.cpp, so that each new instruction needs a definition here."""
    rows = [(name, *SHAPES[shape]) for shape, name in re.findall(rf"\b({'|'.join(SHAPES)})\((s_\w+)\)", text)]
    rows += [(name, t, ("", "b", "q")[int(n)]) for name, t, n in re.findall(r't\["(s_\w+)"\] = \{\w+, "(\w*)", (\d)\}', text)]
    forms = []
    for name, types, result in rows:
        if name in UNCOMPARED:
            continue
        forms.append(Form(name, types, result))
        if name in SAVED:
            forms.append(Form(name, types, result, part="exec"))
        if name in ("s_add_u32", "s_and_b64", "s_lshl_b64", "s_cmp_lt_i32"):
            forms += [Form(name, types, result, constant=c) for c in ("-5", "63", "0x12345678")]
        if types == "bb" and not result and name.startswith("s_cmp_"):
            low = 0xFFFF if name.endswith("u32") else -0x8000
            forms += [Form(name.replace("s_cmp_", "s_cmpk_"), "b", "", k=k) for k in (low, 5, 0x7FFF)]
    forms += [Form(name, "", "b", k=k) for name in re.findall(r'\{"(s_\w+k_i32)", \{', text) for k in (-0x8000, 5)]
    return forms + [Form(name, "q", "b") for name in re.findall(r"^JUMP\((s_\w+),", text, re.M)]


def lds_forms(text, architecture):
    """Reads the names from build_memory.cpp. A lane's 64 bytes of LDS: 0 to 31 are contiguous; 32 to 63 are 2048 bytes after them."""
    sizes = re.findall(r'\{"([bui]\d+(?:_d16)?(?:_hi)?)", \{\d+, ', text[text.index("bool build_lds") :])
    forms = []
    for size in sizes:
        is_half, wide = size.endswith(("d16", "hi")), int(re.match(r"[bui](\d+)", size).group(1)) >= 32
        for direction in ("read", "write"):
            if (direction == "read") == (size[0] in "ui" or wide):
                forms.append(Form(f"ds_{direction}_{size}", f"{direction} {is_half}", offset=8))
            if size in ("b32", "b64"):
                n = int(size[1:]) // 8
                forms.append(Form(f"ds_{direction}2_{size}", f"{direction}2 {size}", offsets=(n, 3 * n)))
                forms.append(Form(f"ds_{direction}2st64_{size}", f"{direction}2 {size}", offsets=(0, 32)))
    for kind in re.findall(r'\{"(\w+_[uibf](?:32|64))", "\w+"\}', text):
        operation, size = kind.rsplit("_", 1)
        if operation != "wrxchg":
            forms.append(Form(f"ds_{kind}", f"atomic {size[1:]}", offset=8))
        forms.append(Form(f"ds_{operation}_rtn_{size}", f"atomic {size[1:]} rtn", offset=8))
    forms += [Form(name, "exchange") for name in LANES]
    forms += [Form(form.name, form.types, masked=1, **form.how) for form in forms]
    if architecture == "gfx950":
        forms += [Form(f"ds_read_b64_tr_b{bits}", "transposed", offset=8) for bits in (16, 8, 4)]
    return forms


def forms_of(folder, architecture):
    text = open(folder + "/build_scalar.cpp", encoding="utf-8").read()
    forms = scalar_forms(text)
    missing = [f.name for f in forms if f.name not in SCALARS and f.name not in SAVED]
    if missing:
        raise SystemExit(f"no second definition of {', '.join(missing)}; try to add it to scalar_and_lds.py")
    return forms + lds_forms(open(folder + "/build_memory.cpp", encoding="utf-8").read(), architecture)


# ---- kernels
HEAD = """typedef unsigned words __attribute__((ext_vector_type(4)));
typedef unsigned three __attribute__((ext_vector_type(3)));
typedef unsigned two __attribute__((ext_vector_type(2)));
__device__ u64 of_lane(u64 x, int lane) {
  return unsigned(__builtin_amdgcn_readlane(int(x), lane)) | u64(unsigned(__builtin_amdgcn_readlane(int(x >> 32), lane))) << 32;
}
__device__ unsigned finite(unsigned word, unsigned exponent) { return (word & exponent) == exponent ? word & ~0x40000000u : word; }
__device__ unsigned mixed(unsigned hash, unsigned word) { hash = (hash ^ word) * 0x9E3779B1u; return hash ^ hash >> 15; }
#define EACH_LANE _Pragma("clang loop unroll(disable)") for (int lane = 0; lane < 64; ++lane) { \\
  const u64 sx = of_lane(x1, lane), sy = of_lane(y1, lane), so = of_lane(r0 | u64(s[4]) << 32, lane); u64 t, t2; \\
  unsigned scc = unsigned(mask >> lane & 1); (void)sx; (void)sy; (void)t; (void)t2;
#define OF_LANE bits |= u64(scc) << lane; if (int(threadIdx.x) == lane) r0 = unsigned(d), r1 = unsigned(u64(d) >> 32); }
#define LDS(exponent) __shared__ unsigned lds[1024]; unsigned* const slot = lds + 8 * threadIdx.x; \\
  for (int k = 0; k < 8; ++k) slot[k] = finite(s[(k + 2) % 8] ^ 0x1111 * k, exponent), slot[512 + k] = ~s[k]; \\
  const unsigned at = unsigned((size_t)(__attribute__((address_space(3))) unsigned*)slot); \\
  words data = {finite(s[0], exponent), finite(s[1], exponent), s[5], s[3]}, result = {s[6], ~s[6], s[3], s[5]}; u64 saved; (void)saved; (void)data; (void)at; __syncthreads();
#define MIXED r0 = mixed(mixed(mixed(mixed(0, result.x), result.y), result.z), result.w); __syncthreads(); \\
  for (int k = 0; k < 16; ++k) r1 = mixed(r1, slot[k < 8 ? k : 504 + k]);
"""
FINITE = {"f32": "0x7F800000u", "f64": "0x7FF00000u"}


def scalar_kernel(number, form):
    name, how = form.executed, form.how
    wide = lambda t: "u64" if t == "q" else "unsigned"
    operands = ["%[d]"] if form.result else []
    operands += [f"%[{v}]" for v, _ in zip("xy", form.types)]
    if "constant" in how:
        operands[-1] = how["constant"]
    if "k" in how:
        operands.append(str(how["k"]))
    text, x = f"{name} {', '.join(operands)}", "sx"
    if name in SAVED:
        text = f"s_mov_b64 %[t], exec\\ns_mov_b64 exec, %[y]\\n{text}\\ns_mov_b64 %[u], exec\\ns_mov_b64 exec, %[t]"
    elif name.startswith(("s_cbranch", "s_branch")):
        before = {"v": "s_mov_b64 vcc, %[x]\\n", "e": "s_mov_b64 %[t], exec\\ns_mov_b64 exec, %[x]\\n"}.get(name[10:11], "")
        after = "\\ns_mov_b64 exec, %[t]" if "exec" in before else ""
        text, x = f"s_mov_b32 %[d], 1\\n{before}{name} L%=\\ns_mov_b32 %[d], 0\\nL%=:{after}", "(scc ? sx : 0)"
    y_type = "q" if name in SAVED else (form.types + "bb")[1]
    code = f"EACH_LANE {wide(form.result or 'q')} d = {wide(form.result or 'q')}(so); const {wide((form.types + 'b')[0])} x = {x}; const {wide(y_type)} y = sy;"
    code += f' asm volatile("s_cmp_lg_u32 %[c], 0\\n{text}\\ns_cselect_b32 %[c], 1, 0" : [d]"+&s"(d), [c]"+&s"(scc), [t]"=&s"(t), [u]"=&s"(t2)'
    code += ' : [x]"s"(x), [y]"s"(y) : "scc", "vcc");'
    if how.get("part") == "exec":
        code += " d = t2;"
    return f"KERNEL(f{number}) {{ BEGIN {code} OF_LANE END }}\n"


def lds_kernel(number, form):
    name = form.executed.split()[0]
    modifier = " " + form.executed.split(" ", 1)[1] if " " in form.executed else ""
    size = int(re.search(r"(\d+)(?:_d16)?(?:_hi)?$", name).group(1)) if form.types != "transposed" else 64
    if "offsets" in form.how:
        unit = size // 8
        first, second = (p // unit if p < 32 else 2048 // (64 * unit) for p in form.how["offsets"])
        modifier, size = f" offset0:{first} offset1:{second}", 2 * size
    elif "offset" in form.how:
        modifier = f" offset:{form.how['offset']}"
    kind, part = {96: ("three", "xyz"), 128: ("words", "xyzw"), 64: ("two", "xy")}.get(size, ("unsigned", "x"))
    of = lambda value: f"{value}.x" if kind == "unsigned" else f"{kind}{{{', '.join(f'{value}.{p}' for p in part)}}}"
    reads = name.startswith("ds_read") or "_rtn" in name or form.types == "exchange"
    operands, sources = ["%[r]"] if reads else [], '[a]"v"(at), [d]"v"(d)'
    exchanged = "at" if form.types != "exchange" else "x0"
    if not (name == "ds_swizzle_b32"):
        operands.append("%[a]")
    if not name.startswith("ds_read"):
        operands.append("%[d]")
    data = of("data")
    if "write2" in name:
        operands.append("%[e]")
        half = ("two{{data.{0}, data.{1}}}" if size == 128 else "data.{0}").format
        data, kind_of_data = half("x", "y"), "two" if size == 128 else "unsigned"
        sources += f', [e]"v"({half("z", "w")})'
    else:
        kind_of_data = kind
    text = f"{name} {', '.join(operands)}{modifier}\\ns_waitcnt lgkmcnt(0)"
    text = text.replace('"', '\\"')
    if form.how.get("masked"):
        text = f"s_mov_b64 %[s], exec\\ns_mov_b64 exec, %[m]\\n{text}\\ns_mov_b64 exec, %[s]"
    exponent = FINITE.get(form.executed[-3:], "0xFFFFFFFFu")
    code = f"LDS({exponent}) {kind} r = {of('result')}; const {kind_of_data} d = {data}; const unsigned a = {exchanged};"
    code += f' asm volatile("{text}" : [r]"+&v"(r), [s]"=&s"(saved) : {sources.replace("(at)", "(a)")}, [m]"s"(mask) : "memory");'
    copy = "result.x = r;" if kind == "unsigned" else " ".join(f"result.{p} = r.{p};" for p in part)
    return f"KERNEL(f{number}) {{ BEGIN {code} {copy} MIXED END }}\n"


def kernel(number, form):
    return lds_kernel(number, form) if form.is_lds else scalar_kernel(number, form)


def plant(forms):
    """Plants a mistake in every form: it executes the next instruction with the same operands. Returns the forms that have one."""
    groups = {}
    for form in forms:
        groups.setdefault((form.types, form.result, tuple(form.how.items())), []).append(form)
    planted = []
    for group in groups.values():
        for k, form in enumerate(group):
            others = (o.name for o in group[k + 1 :] + group[:k] if o.name != form.name)
            other = next((o for o in others if not any(form.name in s and o in s for s in SAME)), None)
            if other is not None:
                form.executed = other
                planted.append(form)
    return planted


# ---- the expected result
def random_row(r):
    """Random 64-bit sources x and y, an old result and a bit. y is often the offset and width of a bit field."""
    some = [0, 1, 5, 31, 0x7FFF, 0x8000, 0xFFFF, 0xFFFF8000, 0x7FFFFFFF, 0x80000000, MASK32]
    word = lambda: r.choice(some) if r.random() < 0.3 else r.getrandbits(r.choice((5, 16, 31, 32, 32, 32)))
    row = [word() for _ in range(7)] + [r.getrandbits(1)]
    if r.random() < 0.5:
        row[2] = r.getrandbits(6) | r.randint(0, 40 if r.random() < 0.7 else 70) << 16
    if r.random() < 0.15:
        row[2:4] = row[0:2]
    return row


def scalar_expected(form, row):
    """The expected result and SCC."""
    number = lambda low, high, t: low | (high << 32 if t == "q" else 0)
    scc = row[7] & 1
    x = number(row[0], row[1], (form.types + "b")[0])
    y = number(row[2], row[3], "q" if form.name in SAVED else (form.types + "bb")[1])
    old = number(row[6], row[4], form.result or "q")
    if "constant" in form.how:
        bits = 64 if form.types[-1] == "q" else 32
        x, y = (x, int(form.how["constant"], 0) & (1 << bits) - 1) if len(form.types) > 1 else (int(form.how["constant"], 0), y)
    if "k" in form.how:
        x, y = (x, form.how["k"] & MASK32) if form.types else (form.how["k"] & MASK32, y)
    if "branch" in form.name:
        x = x if scc else 0
    if form.name in SAVED:
        new = SAVED[form.name](x, y)
        return new if form.how.get("part") == "exec" else y, new != 0
    result = SCALARS[form.name](x, y, scc, old)
    return result if isinstance(result, tuple) else (result, scc)


def mixed(words):
    h = 0
    for word in words:
        h = (h ^ word) * 0x9E3779B1 & MASK32
        h ^= h >> 15
    return h


def finite(word, exponent):
    return word & ~0x40000000 if word & exponent == exponent else word


def lds_expected(form, rows):
    """Two expected hashes per lane of a wave: of the result's words, and of the lane's LDS words."""
    exponent = int(FINITE.get(form.name[-3:], "0xFFFFFFFFu")[:-1], 0)
    memory = [[finite(row[(k + 2) % 8] ^ 0x1111 * k, exponent) for k in range(8)] + [~w & MASK32 for w in row] for row in rows]
    memory = [bytearray(b"".join(w.to_bytes(4, "little") for w in words)) for words in memory]
    results = [[row[6], ~row[6] & MASK32, row[3], row[5]] for row in rows]
    active = [bool(row[7] & 1) or not form.how.get("masked") for row in rows]
    data = [[finite(row[0], exponent), finite(row[1], exponent), row[5], row[3]] for row in rows]
    if form.types == "exchange":
        exchanged = LANES[form.name]([row[0] for row in rows], [d[0] for d in data], active)
    elif form.types == "transposed":
        pairs = [[int.from_bytes(m[at : at + 4], "little") for at in (8, 12)] for m in memory]
        columns = transposed(int(form.name.rsplit("b", 1)[1]), pairs)
    for lane in range(64):
        if not active[lane]:
            continue
        if form.types == "exchange":
            results[lane][0] = exchanged[lane]
        elif form.types == "transposed":
            results[lane][:2] = columns[lane]
        else:
            access(form.name, form.how.get("offsets", (form.how.get("offset"),)), memory[lane], data[lane], results[lane])
    words = lambda m: [int.from_bytes(m[4 * k : 4 * k + 4], "little") for k in range(16)]
    return [(mixed(r), mixed(words(m))) for r, m in zip(results, memory)]


def check(form, rows, results, mode):
    """A message about the first lane that differs, or None."""
    if form.is_lds and form.name[-3:] in FINITE and mode & 15 != 15:
        return None  # AMD's text does not say whether atomics flush subnormal numbers
    lds = form.is_lds and [pair for k in range(0, len(rows), 64) for pair in lds_expected(form, rows[k : k + 64])]
    for lane, row in enumerate(rows):
        if form.is_lds:
            want, got = lds[lane], results[lane][:2]
            if tuple(got) == want:
                continue
            what = "result" if got[0] != want[0] else "LDS"
            return f"{form.label()}, MODE {mode:#x}, lane {lane}: wrong {what} for the inputs {' '.join(map(hex, row))}"
        value, scc = scalar_expected(form, row)
        got = results[lane][0] | (results[lane][1] << 32 if (form.result or "q") == "q" else 0)
        if got == value and bool(results[lane][2]) == bool(scc):
            continue
        sources = f"{row[1]:#x}:{row[0]:#x} {row[3]:#x}:{row[2]:#x}, SCC {row[7] & 1}"
        return f"{form.label()}, lane {lane}: sources {sources}: expected {value:#x} and SCC {int(scc)}, got {got:#x} and SCC {results[lane][2]}"
    return None
