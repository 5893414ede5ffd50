"""Floating-point arithmetic on bits, with Python integers and exact fractions: operations, conversions, and codes near an exact value."""

import math
from fractions import Fraction


class Context:
    """What a result depends on besides its sources: architecture, MODE.FP16_OVFL and the lane."""

    def __init__(self, gfx950=False, overflow=False):
        self.gfx950, self.overflow, self.lane = gfx950, overflow, 0


class Format:
    def __init__(self, bits, mantissa, bias=None):
        self.bits, self.mantissa, self.exponent = bits, mantissa, bits - 1 - mantissa
        self.bias = (1 << self.exponent - 1) - 1 if bias is None else bias
        self.sign, self.infinity = 1 << bits - 1, ((1 << self.exponent) - 1) << mantissa
        self.nan = self.infinity | 1 << mantissa - 1


F16, BF16, F32, F64 = Format(16, 10), Format(16, 7), Format(32, 23), Format(64, 52)
MASK32, MASK64 = 0xFFFFFFFF, (1 << 64) - 1


def is_nan(x, f):
    return x & (f.sign - 1) > f.infinity


def is_inf(x, f):
    return x & (f.sign - 1) == f.infinity


def is_zero(x, f):
    return x & (f.sign - 1) == 0


def is_signalling(x, f):
    return is_nan(x, f) and not x >> f.mantissa - 1 & 1


def quiet(x, f):
    return x | 1 << f.mantissa - 1 if is_nan(x, f) else x


def flushed(x, f):
    """Returns the bits, with a subnormal number replaced by zero of the same sign."""
    return x & f.sign if x & f.infinity == 0 else x


def value(x, f):
    """The exact value of the bits of a finite number."""
    fraction, exponent = x & (1 << f.mantissa) - 1, x >> f.mantissa & (1 << f.exponent) - 1
    magnitude = Fraction(fraction | (1 << f.mantissa if exponent else 0)) * Fraction(2) ** ((exponent or 1) - f.bias - f.mantissa)
    return -magnitude if x & f.sign else magnitude


def floor_log2(x):
    e = x.numerator.bit_length() - x.denominator.bit_length()
    return e if Fraction(2) ** e <= x else e - 1


def nearest(n):
    """Nearest integer, ties to even."""
    low = math.floor(n)
    rest = n - low
    return low + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and low & 1))


def rounded(x, f, negative=None, to_zero=False, saturates=False):
    """Bits of the exact number x, rounded to format f. `negative`: if x is 0, the result is -0."""
    sign = f.sign if (x < 0 if negative is None or x != 0 else negative) else 0
    x = abs(x)
    if x == 0:
        return sign
    unit = max(floor_log2(x), 1 - f.bias) - f.mantissa
    steps = x / Fraction(2) ** unit
    steps = math.floor(steps) if to_zero else nearest(steps)
    code = steps + (unit + f.mantissa + f.bias - 1 << f.mantissa)
    if code >= f.infinity:
        code = f.infinity - (1 if to_zero or saturates else 0)
    return sign | code


def add(x, y, f, **how):
    if is_nan(x, f) or is_nan(y, f) or (is_inf(x, f) and is_inf(y, f) and x != y):
        return f.nan
    if is_inf(x, f) or is_inf(y, f):
        return x if is_inf(x, f) else y
    return rounded(value(x, f) + value(y, f), f, bool(x & y & f.sign), **how)


def multiply(x, y, f, **how):
    return fma(x, y, None, f, **how)


def fma(x, y, z, f, to=None, scale=1, **how):
    """x * y + z, rounded once, to format `to`. Without z, the product alone. `scale` multiplies the sum before it is rounded."""
    to = to or f
    negative = bool((x ^ y) & f.sign)
    zero = is_zero(x, f) or is_zero(y, f)
    if any(is_nan(v, f) for v in (x, y) + (() if z is None else (z,))) or (zero and (is_inf(x, f) or is_inf(y, f))):
        return to.nan
    infinite = is_inf(x, f) or is_inf(y, f)
    if z is not None and is_inf(z, f):
        return to.nan if infinite and negative != bool(z & f.sign) else to.infinity | (to.sign if z & f.sign else 0)
    if infinite:
        return to.infinity | (to.sign if negative else 0)
    product = value(x, f) * value(y, f)
    if z is None:
        return rounded(product, to, negative, **how)
    return rounded((product + value(z, f)) * scale, to, negative and bool(z & f.sign), **how)


def negated(x, f):
    return x ^ f.sign


def maximum(x, y, f, sign=1):
    """v_max (sign 1) and v_min (sign -1) in IEEE mode: a signalling NaN wins, a quiet one loses."""
    for v in (x, y):
        if is_signalling(v, f):
            return quiet(v, f)
    if is_nan(x, f) or is_nan(y, f):
        return y if is_nan(x, f) else x
    key = [(-1 if v & f.sign else 1) * ((v & f.sign - 1) + 1) for v in (x, y)]  # keys sort like the values, with -0 below +0
    return x if (key[0] - key[1]) * sign >= 0 else y


def minimum(x, y, f):
    return maximum(x, y, f, -1)


def median(x, y, z, f):
    if any(is_nan(v, f) for v in (x, y, z)):
        return minimum(minimum(x, y, f), z, f)
    largest = maximum(maximum(x, y, f), z, f)
    rest = [x, y, z]
    rest.remove(largest)
    return maximum(*rest, f)


def maximum3(x, y, z, f, pick):
    return f.nan if any(is_nan(v, f) for v in (x, y, z)) else pick(pick(x, y, f), z, f)


def integral(x, f, how):
    if is_nan(x, f) or is_inf(x, f):
        return quiet(x, f)
    return rounded(Fraction(how(value(x, f))), f, bool(x & f.sign))


def fract(x, f):
    return add(x, negated(integral(x, f, math.floor), f), f)


def ldexp(x, e, f, **how):
    if is_nan(x, f) or is_inf(x, f) or is_zero(x, f):
        return quiet(x, f)
    return rounded(value(x, f) * Fraction(2) ** max(min(e, 3000), -3000), f, bool(x & f.sign), **how)


def frexp(x, f):
    """Splits x into the mantissa, in [1/2, 1), as bits, and the exponent."""
    if is_nan(x, f) or is_inf(x, f) or is_zero(x, f):
        return quiet(x, f), 0
    e = floor_log2(abs(value(x, f))) + 1
    return rounded(value(x, f) / Fraction(2) ** e, f), e


def div_fixup(quotient, denominator, numerator, f):
    sign = (denominator ^ numerator) & f.sign
    for v in (numerator, denominator):
        if is_nan(v, f):
            return f.nan
    both = (is_zero(denominator, f) and is_zero(numerator, f)) or (is_inf(denominator, f) and is_inf(numerator, f))
    if both:
        return f.nan
    if is_zero(denominator, f) or is_inf(numerator, f):
        return sign | f.infinity
    if is_inf(denominator, f) or is_zero(numerator, f):
        return sign
    exponent = [(v & f.sign - 1) >> f.mantissa for v in (numerator, denominator)]
    if exponent[0] - exponent[1] < -(f.bias + f.mantissa):
        return sign  # the pseudocode does not define an underflow; this is the executor's choice
    return sign | (f.infinity if is_nan(quotient, f) else quotient & f.sign - 1)


def div_fmas(x, y, z, scaled, f):
    power = 64 if f is F32 else 128
    exponent = z >> f.mantissa & (1 << f.exponent) - 1
    factor = Fraction(2) ** (power if exponent > f.bias else -power)
    # The pseudocode rounds before and after scaling. It is unknown whether the hardware rounds once, so both results are accepted.
    return {fma(x, y, z, f, scale=factor), multiply(fma(x, y, z, f), rounded(factor, f), f)} if scaled else fma(x, y, z, f)


# ---- conversions
def resized(x, f, to, **how):
    if is_nan(x, f):
        return to.nan
    if is_inf(x, f):
        return to.infinity | (to.sign if x & f.sign else 0)
    return rounded(value(x, f), to, bool(x & f.sign), **how)


def clamped(n, low, high):
    return min(max(n, low), high)


def to_integer(x, f, bits, signed, how=math.trunc):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if is_nan(x, f):
        return 0
    n = (low if x & f.sign else high) if is_inf(x, f) else how(value(x, f))
    return clamped(n, low, high) & (1 << bits) - 1


def signed(x, bits):
    x &= (1 << bits) - 1
    return x - (1 << bits) if x >> bits - 1 else x


def small_table(mantissa, bias, largest, bits):
    """Values of the positive codes of a narrow float format, 0 to `largest`."""
    table = []
    for code in range(largest + 1):
        e, fraction = code >> mantissa, code & (1 << mantissa) - 1
        table.append(Fraction(fraction + (1 << mantissa if e else 0)) * Fraction(2) ** ((e or 1) - bias - mantissa))
    return table


class Small:
    """A float format of 8 or 4 bits. `over`: magnitude code of an overflow; `nan`: code of NaN."""

    def __init__(self, bits, mantissa, bias, largest, over, nan, fnuz=False):
        self.bits, self.fnuz, self.over, self.nan, self.largest = bits, fnuz, over, nan, largest
        self.table = small_table(mantissa, bias, largest, bits)
        self.step_above = self.table[-1] + (self.table[-1] - self.table[-2])

    def encode(self, x, negative, overflow):
        """The code nearest to x, a magnitude, 'nan' or 'inf'. `overflow`: MODE.FP16_OVFL, with which an overflow saturates."""
        sign = 1 << self.bits - 1 if negative else 0
        if x == "nan":
            return self.nan if self.fnuz else self.nan | sign
        if x != "inf":
            values = self.table + [self.step_above]
            code = next((k for k in range(len(values)) if values[k] >= x), None)
            if code is not None and values[code] != x:
                low, high = x - values[code - 1], values[code] - x
                code = code - 1 if low < high or (low == high and (code - 1) % 2 == 0) else code
            if code is not None and code <= self.largest:
                return code if code == 0 and self.fnuz else code | sign
        if overflow or self.over == self.largest:
            return self.largest | sign
        return self.nan if self.fnuz else self.over | sign

    def decode(self, code):
        """The value of a code, as bits of an f32."""
        sign, magnitude = code >> self.bits - 1 & 1, code & (1 << self.bits - 1) - 1
        if self.fnuz and code == self.nan:
            return F32.nan
        if magnitude > self.largest:
            return (F32.infinity | sign << 31) if magnitude == self.over and self.over != self.nan else F32.nan
        return rounded(self.table[magnitude], F32) | sign << 31


E4M3, E5M2 = Small(8, 3, 7, 0x7E, 0x7F, 0x7F), Small(8, 2, 15, 0x7B, 0x7C, 0x7F)
E4M3FNUZ, E5M2FNUZ = Small(8, 3, 8, 0x7F, 0x80, 0x80, True), Small(8, 2, 16, 0x7F, 0x80, 0x80, True)
E2M1 = Small(4, 1, 1, 7, 7, 7)


def small_of(name, c):
    if name == "fp4":
        return E2M1
    return {"fp8": E4M3 if c.gfx950 else E4M3FNUZ, "bf8": E5M2 if c.gfx950 else E5M2FNUZ}[name]


def encode(x, f, name, c, scale=None):
    """The code that v_cvt_pk_{fp8,bf8,fp4} gives for one element. `scale`: bits of an f32; its exponent is the power of two to divide by."""
    small, negative = small_of(name, c), bool(x & f.sign)
    exponent = 127 if scale is None else scale >> 23 & 255
    if is_nan(x, f) or exponent == 255:
        return small.encode("nan", negative if exponent != 255 else False, c.overflow)
    if is_inf(x, f):
        return small.encode("inf", negative, c.overflow)
    return small.encode(abs(value(x, f)) / Fraction(2) ** (exponent - 127), negative, c.overflow)


def decode(code, name, c, to=F32, scale=None):
    x, exponent = small_of(name, c).decode(code), 127 if scale is None else scale >> 23 & 255
    if is_nan(x, F32) or exponent == 255:
        return to.nan
    how = {"saturates": c.overflow} if to is F16 else {}
    return (
        ldexp(x, exponent - 127, F32)
        if to is F32
        else (
            to.infinity | (x >> 31) * to.sign
            if is_inf(x, F32)
            else rounded(value(x, F32) * Fraction(2) ** (exponent - 127), to, bool(x >> 31), **how)
        )
    )


# ---- instructions whose error AMD only bounds: sets of accepted results
def near(x, f, negative=False):
    """The bits nearest to x (a Fraction or a float), and the neighbouring bits."""
    bits = rounded(Fraction(x), f, negative)
    return {bits, bits + 1, max(bits - 1, 0)} if bits & f.sign - 1 else {bits}


def square_root(x):
    """The square root as a fraction, with a relative error below 2^-80."""
    e = floor_log2(x) // 2
    x /= Fraction(4) ** e
    return Fraction(math.isqrt((x.numerator << 162) // x.denominator), 1 << 81) * Fraction(2) ** e


def approximated(name, x, f, overflow):
    results = approximated_in_range(name, x, f)
    if f is not F16 or not overflow:
        return results
    # FP16_OVFL saturates an overflow. It is unknown whether it also saturates the Inf result of a zero or Inf source, so both are accepted.
    return results | {r - 1 for r in results if is_inf(r, f)}


def approximated_in_range(name, x, f):
    x = flushed(x, f) if f is F32 else x
    if is_nan(x, f):
        return {f.nan}
    negative, sign = bool(x & f.sign), x & f.sign
    if name == "exp":
        if is_inf(x, f):
            return {0 if negative else f.infinity}
        e = float(value(x, f))
        limit = 1 << f.exponent - 1
        if e >= limit:
            return {f.infinity}
        low = 1 - f.bias - (f.mantissa + 1 if f is F16 else 0)
        results = near(Fraction(math.exp2(e)), f) if e > -1000 else {0}
        return {flushed(r, f) for r in results} if f is F32 else results if e >= low - 1 else {0, 1}
    if name in ("sin", "cos"):
        if is_inf(x, f):
            return {f.nan}
        turn = value(x, f) % 1 + (Fraction(1, 4) if name == "cos" else 0)
        exact = math.sin(2 * math.pi * float(turn % 1))
        return {flushed(r, f) for r in near(exact, f)} | ({0, f.sign} if abs(exact) < 1e-15 else set())
    if is_zero(x, f):
        return {{"rcp": sign | f.infinity, "rsq": sign | f.infinity, "sqrt": x, "log": f.sign | f.infinity}[name]}
    if is_inf(x, f) and name in ("rcp", "rsq") and not (negative and name == "rsq"):
        return {sign}
    if negative and name != "rcp":
        return {f.nan}
    if is_inf(x, f):
        return {f.infinity}
    v = value(x, f)
    if name == "log":
        shift = floor_log2(v)
        exact = Fraction(math.log2(float(v / Fraction(2) ** shift))) + shift
        return near(exact, f) if exact else {0}
    exact = {"rcp": lambda: 1 / v, "sqrt": lambda: square_root(v), "rsq": lambda: 1 / square_root(v)}[name]()
    results = near(exact, f)
    return {flushed(r, f) for r in results} if f is F32 else results
