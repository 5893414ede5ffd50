"""A second, independent definition of each vector instruction: Python integers and exact fractions, written from AMD's pseudocode.

DEFINITIONS[name](s, c): s are the bits of the sources, one integer each; c is a Context. The result is an integer, or a pair of
the result and the lane's bit of the mask. A float result that is NaN stands for any NaN, unless EXACT_NAN names the instruction.
None: the pseudocode does not define the result.
"""

import math
from fractions import Fraction

from exact_floats import (
    add,
    approximated,
    BF16,
    clamped,
    decode,
    div_fixup,
    div_fmas,
    encode,
    F16,
    F32,
    F64,
    fma,
    fract,
    frexp,
    integral,
    is_inf,
    is_nan,
    is_signalling,
    is_zero,
    ldexp,
    MASK32,
    MASK64,
    maximum,
    maximum3,
    median,
    minimum,
    multiply,
    nearest,
    negated,
    resized,
    rounded,
    signed,
    to_integer,
)

DEFINITIONS = {}
EXACT_NAN = set()  # instructions that define the bits of their NaN results


def define(names, function):
    for name in names.split():
        DEFINITIONS[name] = function


def define_floats(suffix, f, half=False):
    how = lambda c: {"saturates": c.overflow} if f is F16 else {}
    for name, function in {
        "add": lambda s, c: add(s[0], s[1], f, **how(c)),
        "sub": lambda s, c: add(s[0], negated(s[1], f), f, **how(c)),
        "subrev": lambda s, c: add(s[1], negated(s[0], f), f, **how(c)),
        "mul": lambda s, c: multiply(s[0], s[1], f, **how(c)),
        "fma": lambda s, c: fma(s[0], s[1], s[2], f, **how(c)),
        "max": lambda s, c: maximum(s[0], s[1], f),
        "min": lambda s, c: minimum(s[0], s[1], f),
        "max3": lambda s, c: maximum(maximum(s[0], s[1], f), s[2], f),
        "min3": lambda s, c: minimum(minimum(s[0], s[1], f), s[2], f),
        "med3": lambda s, c: median(s[0], s[1], s[2], f),
        "rndne": lambda s, c: integral(s[0], f, nearest),
        "trunc": lambda s, c: integral(s[0], f, math.trunc),
        "floor": lambda s, c: integral(s[0], f, math.floor),
        "ceil": lambda s, c: integral(s[0], f, math.ceil),
        "fract": lambda s, c: fract(s[0], f),
        "frexp_mant": lambda s, c: frexp(s[0], f)[0],
        "div_fixup": lambda s, c: div_fixup(s[0], s[1], s[2], f),
        "div_fmas": lambda s, c: div_fmas(s[0], s[1], s[2], s[3], f),
    }.items():
        DEFINITIONS[f"v_{name}_{suffix}"] = function
    DEFINITIONS[f"v_ldexp_{suffix}"] = lambda s, c: ldexp(s[0], signed(s[1], 16 if f is F16 else 32), f, **how(c))
    DEFINITIONS[f"v_frexp_exp_i32_{suffix}"] = lambda s, c: frexp(s[0], f)[1] & MASK32
    for name in ("rcp", "rsq", "sqrt", "exp", "log", "sin", "cos"):
        DEFINITIONS[f"v_{name}_{suffix}"] = lambda s, c, name=name: approximated(name, s[0], f, c.overflow)
    for name, test in {
        "f": lambda o: False,
        "lt": lambda o: o == -1,
        "eq": lambda o: o == 0,
        "le": lambda o: o in (-1, 0),
        "gt": lambda o: o == 1,
        "lg": lambda o: o in (-1, 1),
        "ge": lambda o: o in (0, 1),
        "o": lambda o: o is not None,
        "u": lambda o: o is None,
        "nge": lambda o: o not in (0, 1),
        "nlg": lambda o: o not in (-1, 1),
        "ngt": lambda o: o != 1,
        "nle": lambda o: o not in (-1, 0),
        "neq": lambda o: o != 0,
        "nlt": lambda o: o != -1,
        "tru": lambda o: True,
    }.items():
        DEFINITIONS[f"v_cmp_{name}_{suffix}"] = lambda s, c, test=test: (0, test(order(s[0], s[1], f)))
    DEFINITIONS[f"v_cmp_class_{suffix}"] = lambda s, c: (0, bool(s[1] >> class_of(s[0], f) & 1))


def order(x, y, f):
    """Compares two numbers: -1, 0 or 1, or None if one is NaN."""
    if is_nan(x, f) or is_nan(y, f):
        return None
    a, b = (((v & f.sign - 1) * (-1 if v & f.sign else 1)) for v in (x, y))
    return (a > b) - (a < b)


def class_of(x, f):
    if is_nan(x, f):
        return 0 if is_signalling(x, f) else 1
    kind = 0 if is_inf(x, f) else 3 if is_zero(x, f) else 1 if x & f.infinity else 2
    return 2 + kind if x & f.sign else 9 - kind


define_floats("f32", F32)
define_floats("f16", F16)
define_floats("f64", F64)
for kind, bits, is_signed in (
    ("i32", 32, True),
    ("u32", 32, False),
    ("i16", 16, True),
    ("u16", 16, False),
    ("i64", 64, True),
    ("u64", 64, False),
):
    for name, test in {
        "f": lambda a, b: False,
        "lt": lambda a, b: a < b,
        "eq": lambda a, b: a == b,
        "le": lambda a, b: a <= b,
        "gt": lambda a, b: a > b,
        "ne": lambda a, b: a != b,
        "ge": lambda a, b: a >= b,
        "t": lambda a, b: True,
    }.items():
        as_number = (lambda x, bits=bits: signed(x, bits)) if is_signed else (lambda x, bits=bits: x & (1 << bits) - 1)
        DEFINITIONS[f"v_cmp_{name}_{kind}"] = lambda s, c, test=test, n=as_number: (0, test(n(s[0]), n(s[1])))
define("v_maximum3_f32", lambda s, c: maximum3(*s, F32, maximum))
define("v_minimum3_f32", lambda s, c: maximum3(*s, F32, minimum))
define("v_mul_legacy_f32", lambda s, c: 0 if is_zero(s[0], F32) or is_zero(s[1], F32) else multiply(s[0], s[1], F32))
define("v_rcp_iflag_f32", DEFINITIONS["v_rcp_f32"])
EXACT_NAN |= {f"v_{name}_{kind}" for name in ("max", "min", "max3", "min3", "med3") for kind in ("f32", "f16")} | {
    "v_max_f64",
    "v_min_f64",
}


def div_scale(x, denominator, numerator, f):
    """v_div_scale. None where the pseudocode differs from hardware as ROCm's rocjitsu found it; the executor follows the hardware."""
    power, far, tiny = (64, 96, 23) if f is F32 else (128, 768, 53)
    exponent = lambda v: v >> f.mantissa & (1 << f.exponent) - 1
    of_denominator = x == denominator
    if is_zero(denominator, f) or is_zero(numerator, f):
        return f.nan, None
    scaled = lambda n: ldexp(x, n, f)
    distance = exponent(numerator) - exponent(denominator)
    if distance >= far:
        return (scaled(power) if of_denominator else x), True
    if exponent(denominator) == 0:
        return scaled(power), False
    largest = (1 << f.exponent) - 3
    if exponent(denominator) == largest or 1 - f.bias < distance + 1 and distance <= -far or f is F32 and exponent(numerator) == tiny + 1:
        return None  # 1 / denominator, the quotient or the numerator is at the border of the subnormal numbers
    small_quotient = distance <= -far
    if exponent(denominator) > largest and small_quotient:
        return None if of_denominator else (x, True)  # the pseudocode multiplies a huge denominator, which gives Inf
    if exponent(denominator) > largest:
        return scaled(-power), False
    if small_quotient:
        return ((scaled(power) if x == numerator else x), True) if x in (numerator, denominator) else None
    return (scaled(power) if exponent(numerator) <= tiny else x), False


define("v_div_scale_f32", lambda s, c: div_scale(*s, F32))
define("v_div_scale_f64", lambda s, c: div_scale(*s, F64))


def halves(function):
    """A packed instruction: applies the function to both 16-bit halves."""
    return lambda s, c: sum((function([v >> k & 0xFFFF for v in s], c) & 0xFFFF) << k for k in (0, 16))


def words(function):
    return lambda s, c: sum((function([v >> k & MASK32 for v in s], c) & MASK32) << k for k in (0, 32))


for name in ("add", "mul", "fma", "max", "min"):
    define(f"v_pk_{name}_f16", halves(DEFINITIONS[f"v_{name}_f16"]))
for name in ("add", "mul", "fma"):
    define(f"v_pk_{name}_f32", words(DEFINITIONS[f"v_{name}_f32"]))
EXACT_NAN |= {"v_pk_max_f16", "v_pk_min_f16"}
define("v_pk_mov_b32", lambda s, c: s[0] & MASK32 | s[1] >> 32 << 32)
define("v_fma_mix_f32", lambda s, c: fma(*s, F32))
define("v_fma_mixlo_f16 v_fma_mixhi_f16", lambda s, c: fma(*s, F32, to=F16, saturates=c.overflow))

define("v_cvt_f32_f16", lambda s, c: resized(s[0], F16, F32))
define("v_cvt_f16_f32", lambda s, c: resized(s[0], F32, F16, saturates=c.overflow))
define("v_cvt_f64_f32", lambda s, c: resized(s[0], F32, F64))
define("v_cvt_f32_f64", lambda s, c: resized(s[0], F64, F32))
define("v_cvt_f32_i32", lambda s, c: rounded(Fraction(signed(s[0], 32)), F32))
define("v_cvt_f32_u32", lambda s, c: rounded(Fraction(s[0]), F32))
define("v_cvt_f64_i32", lambda s, c: rounded(Fraction(signed(s[0], 32)), F64))
define("v_cvt_f64_u32", lambda s, c: rounded(Fraction(s[0]), F64))
define("v_cvt_f16_u16", lambda s, c: rounded(Fraction(s[0] & 0xFFFF), F16, saturates=c.overflow))
define("v_cvt_f16_i16", lambda s, c: rounded(Fraction(signed(s[0], 16)), F16))
for k in range(4):
    define(f"v_cvt_f32_ubyte{k}", lambda s, c, k=k: rounded(Fraction(s[0] >> 8 * k & 255), F32))
define("v_cvt_i32_f32", lambda s, c: to_integer(s[0], F32, 32, True))
define("v_cvt_u32_f32", lambda s, c: to_integer(s[0], F32, 32, False))
define("v_cvt_i32_f64", lambda s, c: to_integer(s[0], F64, 32, True))
define("v_cvt_u32_f64", lambda s, c: to_integer(s[0], F64, 32, False))
define("v_cvt_i16_f16", lambda s, c: to_integer(s[0], F16, 16, True))
define("v_cvt_u16_f16", lambda s, c: to_integer(s[0], F16, 16, False))
define("v_cvt_rpi_i32_f32", lambda s, c: to_integer(s[0], F32, 32, True, lambda v: math.floor(v + Fraction(1, 2))))
define("v_cvt_flr_i32_f32", lambda s, c: to_integer(s[0], F32, 32, True, math.floor))
define("v_cvt_pkrtz_f16_f32", lambda s, c: resized(s[0], F32, F16, to_zero=True) | resized(s[1], F32, F16, to_zero=True) << 16)
define("v_cvt_pk_f16_f32", lambda s, c: sum(resized(v, F32, F16, saturates=c.overflow) << 16 * k for k, v in enumerate(s)))
define("v_cvt_pk_bf16_f32", lambda s, c: sum(resized(v, F32, BF16) << 16 * k for k, v in enumerate(s)))
define("v_cvt_pk_u16_u32", lambda s, c: min(s[0], 0xFFFF) | min(s[1], 0xFFFF) << 16)
define("v_cvt_pk_i16_i32", lambda s, c: sum((clamped(signed(v, 32), -32768, 32767) & 0xFFFF) << 16 * k for k, v in enumerate(s)))
define(
    "v_cvt_pk_u8_f32",
    lambda s, c: s[2] & ~(255 << 8 * (s[1] & 3)) & MASK32
    | (0 if is_nan(s[0], F32) else to_integer(s[0], F32, 8, False, nearest)) << 8 * (s[1] & 3),
)
for small in ("fp8", "bf8"):
    define(f"v_cvt_pk_{small}_f32", lambda s, c, n=small: encode(s[0], F32, n, c) | encode(s[1], F32, n, c) << 8)
    define(f"v_cvt_f32_{small}", lambda s, c, n=small: decode(s[0] & 255, n, c))
    define(f"v_cvt_pk_f32_{small}", lambda s, c, n=small: decode(s[0] & 255, n, c) | decode(s[0] >> 8 & 255, n, c) << 32)
    define(f"v_cvt_scalef32_f32_{small}", lambda s, c, n=small: decode(s[0] & 255, n, c, F32, s[1]))
    define(f"v_cvt_scalef32_f16_{small}", lambda s, c, n=small: decode(s[0] & 255, n, c, F16, s[1]))
for small, step in (("fp8", 8), ("bf8", 8), ("fp4", 4)):
    define(
        f"v_cvt_scalef32_pk_{small}_f32",
        lambda s, c, n=small, b=step: encode(s[0], F32, n, c, s[2]) | encode(s[1], F32, n, c, s[2]) << b,
    )
    for name, f in (("f16", F16), ("bf16", BF16)):
        define(
            f"v_cvt_scalef32_pk_{small}_{name}",
            lambda s, c, n=small, f=f, b=step: encode(s[0] & 0xFFFF, f, n, c, s[1]) | encode(s[0] >> 16, f, n, c, s[1]) << b,
        )
    for name, f in (("f16", F16), ("bf16", BF16), ("f32", F32)):
        define(
            f"v_cvt_scalef32_pk_{name}_{small}",
            lambda s, c, n=small, f=f, b=step: sum(
                decode(s[0] >> b * k & (1 << b) - 1, n, c, f, s[1]) << f.bits * k for k in (0, 1)
            ),
        )


def integers(**functions):
    for name, function in functions.items():
        DEFINITIONS["v_" + name] = lambda s, c, f=function: f(*s) & MASK32


def carry(total):
    return total & MASK32, not 0 <= total <= MASK32


def truth(table, bits):
    def of(x, y, z, t):
        return sum((t >> ((x >> k & 1) << 2 | (y >> k & 1) << 1 | z >> k & 1) & 1) << k for k in range(bits))

    return of(*table)


def permuted(x, y, selectors):
    source = (x << 32 | y).to_bytes(8, "little")
    result = 0
    for k, s in enumerate(selectors.to_bytes(4, "little")):
        byte = source[s] if s < 8 else (255 if source[2 * (s - 8) + 1] >> 7 else 0) if s < 12 else 0 if s == 12 else 255
        result |= byte << 8 * k
    return result


def field_signed(x, offset, width):
    n = width & 31
    return signed(signed(x, 32) >> (offset & 31), n) if n else 0


def leading(x):
    return 32 - x.bit_length() if x else MASK32


S32 = lambda x: signed(x, 32)
integers(
    mov_b32=lambda x: x,
    accvgpr_read_b32=lambda x: x,
    accvgpr_write_b32=lambda x: x,
    accvgpr_mov_b32=lambda x: x,
    not_b32=lambda x: ~x,
    and_b32=lambda x, y: x & y,
    or_b32=lambda x, y: x | y,
    xor_b32=lambda x, y: x ^ y,
    xnor_b32=lambda x, y: ~(x ^ y),
    or3_b32=lambda x, y, z: x | y | z,
    and_or_b32=lambda x, y, z: x & y | z,
    lshl_or_b32=lambda x, y, z: x << (y & 31) | z,
    lshl_add_u32=lambda x, y, z: (x << (y & 31)) + z,
    add_lshl_u32=lambda x, y, z: (x + y) << (z & 31),
    add3_u32=lambda x, y, z: x + y + z,
    xad_u32=lambda x, y, z: (x ^ y) + z,
    add_u32=lambda x, y: x + y,
    sub_u32=lambda x, y: x - y,
    subrev_u32=lambda x, y: y - x,
    add_i32=lambda x, y: x + y,
    sub_i32=lambda x, y: x - y,
    add_u32_clamp=lambda x, y: min(x + y, MASK32),
    sub_u32_clamp=lambda x, y: max(x - y, 0),
    subrev_u32_clamp=lambda x, y: max(y - x, 0),
    add_i32_clamp=lambda x, y: clamped(S32(x) + S32(y), -1 << 31, (1 << 31) - 1),
    sub_i32_clamp=lambda x, y: clamped(S32(x) - S32(y), -1 << 31, (1 << 31) - 1),
    lshlrev_b32=lambda x, y: y << (x & 31),
    lshrrev_b32=lambda x, y: y >> (x & 31),
    ashrrev_i32=lambda x, y: S32(y) >> (x & 31),
    mul_lo_u32=lambda x, y: x * y,
    mul_hi_u32=lambda x, y: x * y >> 32,
    mul_hi_i32=lambda x, y: S32(x) * S32(y) >> 32,
    mul_u32_u24=lambda x, y: (x & 0xFFFFFF) * (y & 0xFFFFFF),
    mul_hi_u32_u24=lambda x, y: (x & 0xFFFFFF) * (y & 0xFFFFFF) >> 32,
    mul_i32_i24=lambda x, y: signed(x, 24) * signed(y, 24),
    mad_u32_u24=lambda x, y, z: (x & 0xFFFFFF) * (y & 0xFFFFFF) + z,
    mad_i32_i24=lambda x, y, z: signed(x, 24) * signed(y, 24) + z,
    bfe_u32=lambda x, y, z: x >> (y & 31) & (1 << (z & 31)) - 1,
    bfe_i32=field_signed,
    bfi_b32=lambda x, y, z: x & y | ~x & z,
    bitop3_b32=lambda *s: truth(s, 32),
    bitop3_b16=lambda *s: truth(s, 16),
    ashr_pk_i8_i32=lambda x, y, z: sum((clamped(S32(v) >> (z & 31), -128, 127) & 255) << 8 * k for k, v in enumerate((x, y))),
    ashr_pk_u8_i32=lambda x, y, z: sum((clamped(S32(v) >> (z & 31), 0, 255) & 255) << 8 * k for k, v in enumerate((x, y))),
    prng_b32=lambda x: x << 1 ^ (197 if x >> 31 else 0),
    bfm_b32=lambda x, y: (1 << (x & 31)) - 1 << (y & 31),
    alignbit_b32=lambda x, y, z: (x << 32 | y) >> (z & 31),
    alignbyte_b32=lambda x, y, z: (x << 32 | y) >> 8 * (z & 3),
    min_u32=min,
    max_u32=max,
    min_i32=lambda x, y: min(x, y, key=S32),
    max_i32=lambda x, y: max(x, y, key=S32),
    min3_i32=lambda *s: min(s, key=S32),
    max3_i32=lambda *s: max(s, key=S32),
    med3_i32=lambda *s: sorted(s, key=S32)[1],
    min3_u32=min,
    max3_u32=max,
    bfrev_b32=lambda x: int(f"{x:032b}"[::-1], 2),
    ffbh_u32=leading,
    ffbl_b32=lambda x: (x & -x).bit_length() - 1 if x else MASK32,
    ffbh_i32=lambda x: MASK32 if x in (0, MASK32) else leading(~x & MASK32 if x >> 31 else x),
    bcnt_u32_b32=lambda x, y: bin(x).count("1") + y,
    perm_b32=permuted,
    sad_u32=lambda x, y, z: abs(x - y) + z,
    cndmask_b32=lambda x, y, m: y if m else x,
    lshlrev_b16=lambda x, y: y << (x & 15) & 0xFFFF,
    lshrrev_b16=lambda x, y: (y & 0xFFFF) >> (x & 15),
    ashrrev_i16=lambda x, y: signed(y, 16) >> (x & 15) & 0xFFFF,
    add_u16=lambda x, y: x + y & 0xFFFF,
    sub_u16=lambda x, y: x - y & 0xFFFF,
    subrev_u16=lambda x, y: y - x & 0xFFFF,
    mul_lo_u16=lambda x, y: x * y & 0xFFFF,
    max_i16=lambda x, y: max(signed(x, 16), signed(y, 16)) & 0xFFFF,
    min_i16=lambda x, y: min(signed(x, 16), signed(y, 16)) & 0xFFFF,
    max_u16=lambda x, y: max(x & 0xFFFF, y & 0xFFFF),
    min_u16=lambda x, y: min(x & 0xFFFF, y & 0xFFFF),
    mad_u16=lambda x, y, z: x * y + z & 0xFFFF,
    mad_legacy_u16=lambda x, y, z: x * y + z & 0xFFFF,
    pack_b32_f16=lambda x, y: x & 0xFFFF | (y & 0xFFFF) << 16,
    dot4_i32_i8=lambda x, y, z: S32(z) + sum(signed(x >> k, 8) * signed(y >> k, 8) for k in (0, 8, 16, 24)),
)
define("v_mbcnt_lo_u32_b32", lambda s, c: bin(s[0] & (1 << min(c.lane, 32)) - 1).count("1") + s[1] & MASK32)
define("v_mbcnt_hi_u32_b32", lambda s, c: bin(s[0] & (1 << max(c.lane - 32, 0)) - 1).count("1") + s[1] & MASK32)
define("v_add_co_u32", lambda s, c: carry(s[0] + s[1]))
define("v_sub_co_u32", lambda s, c: carry(s[0] - s[1]))
define("v_subrev_co_u32", lambda s, c: carry(s[1] - s[0]))
define("v_addc_co_u32", lambda s, c: carry(s[0] + s[1] + s[2]))
define("v_subb_co_u32", lambda s, c: carry(s[0] - s[1] - s[2]))
define("v_subbrev_co_u32", lambda s, c: carry(s[1] - s[0] - s[2]))
define("v_mov_b64", lambda s, c: s[0])
define("v_lshl_add_u64", lambda s, c: (s[0] << (s[1] & 7)) + s[2] & MASK64)
define("v_lshlrev_b64", lambda s, c: s[1] << (s[0] & 63) & MASK64)
define("v_lshrrev_b64", lambda s, c: s[1] >> (s[0] & 63))
define("v_ashrrev_i64", lambda s, c: signed(s[1], 64) >> (s[0] & 63) & MASK64)
define("v_mad_u64_u32", lambda s, c: (s[0] * s[1] + s[2] & MASK64, s[0] * s[1] + s[2] > MASK64))
define(
    "v_mad_i64_i32",
    lambda s, c: (
        S32(s[0]) * S32(s[1]) + signed(s[2], 64) & MASK64,
        not -1 << 63 <= S32(s[0]) * S32(s[1]) + signed(s[2], 64) < 1 << 63,
    ),
)
S16 = lambda x: signed(x, 16)
for name, function in {
    "add_u16": lambda x, y: x + y,
    "add_i16": lambda x, y: x + y,
    "sub_u16": lambda x, y: x - y,
    "sub_i16": lambda x, y: x - y,
    "mul_lo_u16": lambda x, y: x * y,
    "mad_u16": lambda x, y, z: x * y + z,
    "mad_i16": lambda x, y, z: x * y + z,
    "lshlrev_b16": lambda x, y: y << (x & 15),
    "lshrrev_b16": lambda x, y: y >> (x & 15),
    "ashrrev_i16": lambda x, y: S16(y) >> (x & 15),
    "max_i16": lambda x, y: max(x, y, key=S16),
    "min_i16": lambda x, y: min(x, y, key=S16),
    "max_u16": max,
    "min_u16": min,
}.items():
    DEFINITIONS["v_pk_" + name] = halves(lambda s, c, f=function: f(*s))
