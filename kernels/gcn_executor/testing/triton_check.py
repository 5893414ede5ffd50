#!/usr/bin/env python3
"""Compiles Triton kernels for an AMD GPU, executes them on libassay_hip_runtime.so, and compares every output with exact results.

  triton_check.py libassay_hip_runtime.so --architecture gfx942 [--planted]

Needs PyPI's triton, which compiles for AMD GPUs on any machine. With --planted, each kernel is compiled with a mistake, and
must be reported. Expected results are exact: integers, sums of small integers in f32, or one rounding by exact_floats.py.
"""

import argparse
import ctypes
import os
import random
import struct
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore", message="TRITON_DEFAULT_FP_FUSION")
try:
    import triton
    import triton.language as tl
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
except ImportError as error:
    print(f"SKIPPED: {error}: {sys.executable} -m pip install triton, or -DASSAY_TRITON_PYTHON=PYTHON for another Python")
    sys.exit(0)

import exact_floats as exact
from exact_floats import BF16, F16, F32

ROWS, COLUMNS, BLOCK, TILE = 8, 200, 256, 32


# ---- kernels; the argument `wrong` plants a mistake
@triton.jit
def add_scaled(x, y, out, factor, n, wrong: tl.constexpr, block: tl.constexpr):
    at = tl.program_id(0) * n + tl.arange(0, block)
    inside = tl.arange(0, block) < (n - 1 if wrong else n)
    tl.store(out + at, tl.load(x + at, mask=inside) * factor + tl.load(y + at, mask=inside), mask=inside)


@triton.jit
def quantize(x, q, scale, largest, n, wrong: tl.constexpr, block: tl.constexpr):
    column = tl.arange(0, block)
    at, inside = tl.program_id(0) * n + column, column < n
    v = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
    seen = column < (n // 2 if wrong else n)
    s = tl.div_rn(tl.maximum(tl.max(tl.where(seen, tl.abs(v), 0.0), 0), 1e-10), largest)
    tl.store(scale + tl.program_id(0), s)
    tl.store(q + at, tl.div_rn(v, s).to(q.dtype.element_ty), mask=inside)


@triton.jit
def summed(x, out, n, wrong: tl.constexpr, block: tl.constexpr):
    column = tl.arange(0, block)
    v = tl.load(x + tl.program_id(0) * n + column, mask=column < n, other=1 if wrong else 0)
    tl.store(out + tl.program_id(0), tl.sum(v.to(tl.float32), 0))


@triton.jit
def scanned(x, out, n, wrong: tl.constexpr, block: tl.constexpr):
    column = tl.arange(0, block)
    at, inside = tl.program_id(0) * n + column, column < n
    tl.store(out + at, tl.cumsum(tl.load(x + at, mask=inside, other=0), 0, reverse=wrong), mask=inside)


@triton.jit
def ordered(x, out, n, wrong: tl.constexpr, block: tl.constexpr):
    column = tl.arange(0, block)
    at = tl.program_id(0) * n + column
    v = tl.load(x + at, mask=column < n, other=0x7FFFFFFF)
    tl.store(out + at, v if wrong else tl.sort(v), mask=column < n)


@triton.jit
def counted(x, out, n, wrong: tl.constexpr, block: tl.constexpr):
    column = tl.arange(0, block)
    v = tl.load(x + tl.program_id(0) * n + column, mask=column < n, other=0)
    tl.atomic_add(out + (v & (7 if wrong else 15)), 1, mask=column < n)


@triton.jit
def product(a, b, d, wrong: tl.constexpr, size: tl.constexpr, transposed: tl.constexpr, sum_type: tl.constexpr):
    row, column = tl.arange(0, size)[:, None], tl.arange(0, size)[None, :]
    x, y = tl.load(a + row * size + column), tl.load(b + row * size + column)
    tl.store(d + row * size + column, tl.dot(x, tl.trans(y) if transposed != wrong else y, out_dtype=sum_type))


# ---- arguments and exact results
class Case:
    """`arguments`: name -> (Triton type, elements as integers) or a number. Outputs start as zeros. `expected`: name -> integers."""

    def __init__(self, label, kernel, arguments, constants, expected, rows=ROWS):
        self.label, self.kernel, self.arguments = label, kernel, arguments
        self.constants, self.expected, self.rows = constants, expected, rows


def f32_bits(number):
    return struct.unpack("<I", struct.pack("<f", number))[0]


def rows_of(values):
    return [values[k : k + COLUMNS] for k in range(0, len(values), COLUMNS)]


def scaled_sum(r):
    bits = lambda: r.getrandbits(1) << 31 | r.randint(100, 140) << 23 | r.getrandbits(23)
    x, y = ([bits() for _ in range(ROWS * COLUMNS)] for _ in "xy")
    out = [exact.add(exact.multiply(a, f32_bits(-1.75), F32), b, F32) for a, b in zip(x, y)]
    zero = ("*fp32", [0] * len(x))
    arguments = {"x": ("*fp32", x), "y": ("*fp32", y), "out": zero, "factor": ("fp32", -1.75), "n": ("i32", COLUMNS)}
    return Case("add_scaled f32", add_scaled, arguments, {"block": BLOCK}, {"out": out})


def fp8_of(context):
    return "fp8e4nv" if context.gfx950 else "fp8e4b8"


def quantized(r, context):
    name, largest = fp8_of(context), 448 if context.gfx950 else 240
    x = [r.getrandbits(1) << 15 | r.randint(110, 130) << 7 | r.getrandbits(7) for _ in range(ROWS * COLUMNS)]
    q, scale = [], []
    for row in rows_of(x):
        values = [exact.resized(v, BF16, F32) for v in row]
        amax = max(v & F32.sign - 1 for v in values)
        s = exact.rounded(exact.value(amax, F32) / largest, F32)
        scale.append(s)
        quotients = [exact.rounded(exact.value(v, F32) / exact.value(s, F32), F32, bool(v & F32.sign)) for v in values]
        q += [exact.encode(v, F32, "fp8", context) for v in quotients]
    arguments = {"x": ("*bf16", x), "q": ("*" + name, [0] * len(x)), "scale": ("*fp32", [0] * ROWS)}
    arguments |= {"largest": ("fp32", float(largest)), "n": ("i32", COLUMNS)}
    return Case(f"quantize bf16 to {name}", quantize, arguments, {"block": BLOCK}, {"q": q, "scale": scale})


def of_integers(r, label, kernel, result, size, low=-1000, high=1000):
    """A case whose kernel computes `size` integers from rows of integers."""
    x = [r.randint(low, high) for _ in range(ROWS * COLUMNS)]
    out_type = "*fp32" if kernel is summed else "*i32"
    arguments = {"x": ("*i32", [v & exact.MASK32 for v in x]), "out": (out_type, [0] * size), "n": ("i32", COLUMNS)}
    out = [v & exact.MASK32 if out_type == "*i32" else f32_bits(v) for v in result(rows_of(x))]
    return Case(label, kernel, arguments, {"block": BLOCK}, {"out": out})


def running_sums(rows):
    return [sum(row[: k + 1]) for row in rows for k in range(len(row))]


def counts(rows):
    every = [v & 15 for row in rows for v in row]
    return [every.count(k) for k in range(16)]


def dot(r, kind, transposed, context):
    """A GEMM of small integers, whose sums are exact in f32 and int32, whatever the order."""
    a, b = ([[r.randint(-8, 8) for _ in range(TILE)] for _ in range(TILE)] for _ in "ab")
    columns = b if transposed else list(zip(*b))
    result = [sum(p * q for p, q in zip(a[i], columns[j])) for i in range(TILE) for j in range(TILE)]
    f32 = lambda v: exact.rounded(exact.Fraction(v), F32)
    encode = {
        "fp16": lambda v: exact.rounded(exact.Fraction(v), F16),
        "bf16": lambda v: exact.rounded(exact.Fraction(v), BF16),
        "i8": lambda v: v & 255,
    }.get(kind, lambda v: exact.encode(f32(v), F32, "fp8", context))
    out_type = "*i32" if kind == "i8" else "*fp32"
    arguments = {name: ("*" + kind, [encode(v) for row in m for v in row]) for name, m in (("a", a), ("b", b))}
    arguments["d"] = (out_type, [0] * TILE * TILE)
    constants = {"size": TILE, "transposed": transposed, "sum_type": tl.int32 if kind == "i8" else tl.float32}
    d = [v & exact.MASK32 if kind == "i8" else f32_bits(v) for v in result]
    return Case(f"dot {kind}{' transposed' if transposed else ''}", product, arguments, constants, {"d": d}, rows=1)


def cases_of(context):
    r = random.Random(20261126)
    size = ROWS * COLUMNS
    return [
        scaled_sum(r),
        quantized(r, context),
        of_integers(r, "sum of integers in f32", summed, lambda rows: map(sum, rows), ROWS),
        of_integers(r, "cumsum i32", scanned, running_sums, size),
        of_integers(r, "sort i32", ordered, lambda rows: [v for row in rows for v in sorted(row)], size),
        of_integers(r, "atomic_add i32", counted, counts, 16),
    ] + [dot(r, kind, transposed, context) for kind in ("fp16", "bf16", "i8", fp8_of(context)) for transposed in (True, False)]


# ---- execution through HIP's module API
BYTES = {"*fp32": 4, "*i32": 4, "*bf16": 2, "*fp16": 2, "*i8": 1, "*fp8e4nv": 1, "*fp8e4b8": 1}
PACKED = {1: "B", 2: "H", 4: "I"}


class Hip:
    def __init__(self, path):
        self.library = ctypes.CDLL(path)

    def call(self, name, *arguments):
        code = getattr(self.library, name)(*arguments)
        if code != 0:
            text = self.library.hipGetErrorString
            text.restype = ctypes.c_char_p
            sys.exit(f"{name}: {text(code).decode()}")

    def run(self, case, architecture, wrong):
        """Runs a case and returns its outputs by name."""
        signature = {name: value[0] for name, value in case.arguments.items()}
        constants = {**case.constants, "wrong": wrong}
        source = ASTSource(case.kernel, signature={**signature, **dict.fromkeys(constants, "constexpr")}, constexprs=constants)
        compiled = triton.compile(source, target=GPUTarget("hip", architecture, 64), options={"enable_fp_fusion": False})
        values, memory = [], {}
        for name, (kind, data) in case.arguments.items():
            if kind in BYTES:
                packed = struct.pack(f"<{len(data)}{PACKED[BYTES[kind]]}", *data)
                address = ctypes.c_void_p()
                self.call("hipMalloc", ctypes.byref(address), ctypes.c_size_t(len(packed)))
                self.call("hipMemcpy", address, packed, ctypes.c_size_t(len(packed)), 1)
                memory[name] = (address, kind, len(data))
                values.append(address)
            else:
                values.append(ctypes.c_float(data) if kind == "fp32" else ctypes.c_int32(data))
        values += [ctypes.c_void_p(), ctypes.c_void_p()]  # Triton's scratch memory, which these kernels do not use
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("hipModuleLoadData", ctypes.byref(module), compiled.asm["hsaco"])
        self.call("hipModuleGetFunction", ctypes.byref(function), module, compiled.metadata.name.encode())
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(v) for v in values))
        shape = (case.rows, 1, 1, 64 * compiled.metadata.num_warps, 1, 1, compiled.metadata.shared)
        self.call("hipModuleLaunchKernel", function, *shape, None, pointers, None)
        self.call("hipDeviceSynchronize")
        outputs = {}
        for name in case.expected:
            address, kind, count = memory[name]
            data = ctypes.create_string_buffer(count * BYTES[kind])
            self.call("hipMemcpy", data, address, ctypes.c_size_t(len(data)), 2)
            outputs[name] = list(struct.unpack(f"<{count}{PACKED[BYTES[kind]]}", data.raw))
        return outputs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("--architecture", required=True, choices=("gfx942", "gfx950"))
    parser.add_argument("--planted", action="store_true")
    arguments = parser.parse_args()
    os.environ["ASSAY_EXECUTE"] = arguments.architecture
    # Every candidate model of gfx950's tensor core gives the same sums of small integers.
    os.environ["ASSAY_EXECUTE_OPTIONS"] = "matrix=one_rounding" if arguments.architecture == "gfx950" else ""
    hip, wrong, elements = Hip(arguments.library), [], 0
    cases = cases_of(exact.Context(arguments.architecture == "gfx950"))
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TRITON_CACHE_DIR"] = cache
        for case in cases:
            for name, got in hip.run(case, arguments.architecture, arguments.planted).items():
                want = case.expected[name]
                elements += len(want)
                first = next((k for k in range(len(want)) if got[k] != want[k]), None)
                if first is not None:
                    wrong.append(f"{case.label}: {name}[{first}]: expected {want[first]:#x}, got {got[first]:#x}")
    print(f"Triton {triton.__version__} for {arguments.architecture}: {len(cases)} kernels, {elements} elements")
    print("\n".join(wrong))
    if arguments.planted:
        unseen = [case.label for case in cases if not any(line.startswith(case.label + ":") for line in wrong)]
        print(f"a planted mistake is not reported: {', '.join(unseen)}" if unseen else "every planted mistake is reported")
        return 1 if unseen else 0
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
