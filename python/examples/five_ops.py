"""Kernels of five ops in numpy, each correct and with one mistake that tests with tolerances accept.

python five_ops.py          runs all of them on the quick cases and prints the cause found for each wrong one
"""

import ml_dtypes
import numpy as np

import assay

F32, E4M3 = np.float32, ml_dtypes.float8_e4m3fn
LIMIT = F32(448)


def _quiet(function):
    """NaN, Inf and overflow are ordinary inputs here."""

    def called(*arguments, **named):
        with np.errstate(all="ignore"):
            return function(*arguments, **named)

    return called


# quant_group: one scale for each group of a row. vllm.group_fp8 divides; a reciprocal is sometimes off by one code.
@_quiet
def group_quant(x, group_size, reciprocal):
    groups = x.astype(F32).reshape(-1, group_size)
    amax = np.maximum(np.nanmax(np.abs(groups), axis=1, initial=0), F32(1e-10))
    scale = (amax / LIMIT)[:, None]
    quotient = groups * (F32(1) / scale) if reciprocal else groups / scale
    codes = np.fmin(np.fmax(quotient, -LIMIT), LIMIT).astype(E4M3)
    return codes.reshape(x.shape), scale.reshape(x.shape[0], x.shape[1] // group_size)


@assay.kernel(op="quant_group", contracts="vllm.group_fp8", accepts={"layout": ["row"]})
def group_quant_right(x, group_size):
    return group_quant(x, group_size, reciprocal=False)


@assay.kernel(op="quant_group", contracts="vllm.group_fp8", accepts={"layout": ["row"]})
def group_quant_wrong(x, group_size):
    return group_quant(x, group_size, reciprocal=True)


# quant_static: a calibrated scale. vllm.static multiplies by the reciprocal; a division is wrong here.
@_quiet
def static_quant(x, scale, divide):
    product = x.astype(F32) / scale[0, 0] if divide else x.astype(F32) * (F32(1) / scale[0, 0])
    return np.fmax(np.fmin(product, LIMIT), -LIMIT).astype(E4M3)


@assay.kernel(op="quant_static", contracts="vllm.static", accepts={"group_size": ["tensor"]})
def static_quant_right(x, scale):
    return static_quant(x, scale, divide=False)


@assay.kernel(op="quant_static", contracts="vllm.static", accepts={"group_size": ["tensor"]})
def static_quant_wrong(x, scale):
    return static_quant(x, scale, divide=True)


# rms_norm: vllm.rms_norm@v0.19.1 rounds to bf16 before the weight; without that rounding a result is off by an ulp.
@_quiet
def rms_norm(x, gamma, eps, round_twice):
    wide = x.astype(F32)
    mean = np.square(wide).astype(np.float64).sum(axis=1) / x.shape[1]
    r = (1 / np.sqrt(mean.astype(F32) + F32(eps)).astype(np.float64)).astype(F32)[:, None]
    scaled = (wide * r).astype(x.dtype).astype(F32) if round_twice else wide * r
    return (scaled * gamma.astype(F32)).astype(x.dtype)


@assay.kernel(op="rms_norm", contracts="vllm.rms_norm@v0.19.1", accepts={"x": ["bf16"]})
def rms_norm_right(x, gamma, eps):
    return rms_norm(x, gamma, eps, round_twice=True)


@assay.kernel(op="rms_norm", contracts="vllm.rms_norm@v0.19.1", accepts={"x": ["bf16"]})
def rms_norm_wrong(x, gamma, eps):
    return rms_norm(x, gamma, eps, round_twice=False)


# act_and_mul: vllm.silu_and_mul rounds silu to bf16 before the product.
@_quiet
def silu_and_mul(x, y, round_twice):
    gate, up = x[:, : y.shape[1]].astype(F32), x[:, y.shape[1] :].astype(F32)
    silu = gate / (np.exp(-gate.astype(np.float64)).astype(F32) + F32(1))
    y[...] = ((silu.astype(x.dtype).astype(F32) if round_twice else silu) * up).astype(x.dtype)


@assay.kernel(op="act_and_mul", contracts="vllm.silu_and_mul", accepts={"x": ["bf16"]})
def silu_right(x, y):
    silu_and_mul(x, y, round_twice=True)


@assay.kernel(op="act_and_mul", contracts="vllm.silu_and_mul", accepts={"x": ["bf16"]})
def silu_wrong(x, y):
    silu_and_mul(x, y, round_twice=False)


# pack_scales: four fp32 scales become the bytes of an int32. deepgemm.pack_ue8m0_torch masks each byte; without masks the
# mantissas of the
# later scales run into the bytes of the earlier ones.
@_quiet
def pack_scales(x, scale, mask):
    bits = np.zeros((x.shape[0], 4 * scale.shape[1]), np.uint32)
    bits[:, : x.shape[1]] = np.ascontiguousarray(x).view(np.uint32)
    a, b, c, d = (bits.reshape(x.shape[0], scale.shape[1], 4)[:, :, i] for i in range(4))
    if mask:
        words = a >> 23 & 0xFF | b >> 15 & 0xFF00 | c >> 7 & 0xFF0000 | d << 1 & 0xFF000000
    else:
        words = a >> 23 | b >> 15 | c >> 7 | d << 1
    assay.storage(scale)[...] = 0  # padding, which consumers read
    scale[...] = words.view(np.int32)


@assay.kernel(op="pack_scales", contracts="deepgemm.pack_ue8m0_torch")
def pack_right(x, scale):
    pack_scales(x, scale, mask=True)


@assay.kernel(op="pack_scales", contracts="deepgemm.pack_ue8m0_torch")
def pack_wrong(x, scale):
    pack_scales(x, scale, mask=False)


RIGHT = [group_quant_right, static_quant_right, rms_norm_right, silu_right, pack_right]
# kernel, and text that must name its mistake
WRONG = [
    (group_quant_wrong, "code: div(s) -> mul(1/s)"),
    (static_quant_wrong, "code: mul(m) -> div(s)"),
    (rms_norm_wrong, "y: drop to(x)#1"),
    (silu_wrong, "h: drop to(x)#1"),
    (pack_wrong, "word: no mask"),
]

if __name__ == "__main__":
    for one in RIGHT + [wrong for wrong, _ in WRONG]:
        print(one.name, repr(assay.run(one)))
