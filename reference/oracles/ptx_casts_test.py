"""Compares the cast profiles named ptx.* with the instructions on a GPU. usage: ptx_casts_test.py DUMP_CASTS"""

import sys

import numpy as np
import torch
import triton
import triton.language as tl

import cast_runs

ROUNDING = {"ptx.int8_rni_sat": "rni", "ptx.int8_rzi_sat": "rzi"}


@triton.jit
def converted(x, codes, n, block: tl.constexpr, asm: tl.constexpr):
    at = tl.program_id(0) * block + tl.arange(0, block)
    value = tl.load(x + at, mask=at < n, other=0)
    code = tl.inline_asm_elementwise(asm, "=r,f", [value], dtype=tl.int32, is_pure=True, pack=1)
    tl.store(codes + at, code.to(tl.int8), mask=at < n)


def cast_of(rounding):
    # PTX has no 8-bit registers, so the result is sign-extended.
    asm = f"{{ .reg .s16 h; cvt.{rounding}.sat.s8.f32 h, $1; cvt.s32.s16 $0, h; }}"

    def cast(numbers):
        x = torch.from_numpy(np.ascontiguousarray(numbers)).cuda()
        codes = torch.empty(x.shape, dtype=torch.int8, device="cuda")
        converted[(triton.cdiv(x.numel(), 1024),)](x, codes, x.numel(), 1024, asm)
        return codes.view(torch.uint8).cpu().numpy()

    return cast


def main():
    if not torch.cuda.is_available():
        print("SKIPPED: no GPU")
        sys.exit(77)
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}")
    profiles = cast_runs.read_profiles(sys.argv[1])
    failures = 0
    for name, rounding in ROUNDING.items():
        failures += cast_runs.hold(f"cvt.{rounding}.sat.s8.f32", cast_of(rounding), profiles[name], profiles)
    sys.exit(1 if failures else 0)


main()
