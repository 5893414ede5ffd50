"""Kernels of five ops in numpy and in JAX: a correct version of each, and one with a mistake that tests with tolerances accept.

python five_ops.py          runs the numpy kernels on the quick cases and prints the cause found for each wrong one
python five_ops.py jax      runs the JAX kernels; takes minutes on a CPU, because JAX compiles every shape
"""

import sys

import ml_dtypes
import numpy as np

import assay

F32, E4M3 = np.float32, ml_dtypes.float8_e4m3fn
LIMIT = F32(448)


def _quiet(function):
    """Silences numpy's warnings: the suite's inputs include NaN, Inf and values that overflow."""

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


# pack_scales: four fp32 scales become the bytes of an int32. deepgemm.pack_ue8m0_torch masks each byte; without masks, mantissa
# bits of later scales change the bytes of earlier ones.
@_quiet
def pack_scales(x, scale, mask):
    bits = np.zeros((x.shape[0], 4 * scale.shape[1]), np.uint32)
    bits[:, : x.shape[1]] = np.ascontiguousarray(x).view(np.uint32)
    a, b, c, d = (bits.reshape(x.shape[0], scale.shape[1], 4)[:, :, i] for i in range(4))
    if mask:
        words = a >> 23 & 0xFF | b >> 15 & 0xFF00 | c >> 7 & 0xFF0000 | d << 1 & 0xFF000000
    else:
        words = a >> 23 | b >> 15 | c >> 7 | d << 1
    assay.storage(scale)[...] = 0  # also clears the padding, which GEMMs read
    scale[...] = words.view(np.int32)


@assay.kernel(op="pack_scales", contracts="deepgemm.pack_ue8m0_torch")
def pack_right(x, scale):
    pack_scales(x, scale, mask=True)


@assay.kernel(op="pack_scales", contracts="deepgemm.pack_ue8m0_torch")
def pack_wrong(x, scale):
    pack_scales(x, scale, mask=False)


RIGHT = [group_quant_right, static_quant_right, rms_norm_right, silu_right, pack_right]
# (kernel, text that the reported cause must contain)
WRONG = [
    (group_quant_wrong, "code: div(s) -> mul(1/s)"),
    (static_quant_wrong, "code: mul(m) -> div(s)"),
    (rms_norm_wrong, "y: drop to(x)#1"),
    (silu_wrong, "h: drop to(x)#1"),
    (pack_wrong, "word: no mask"),
]


# The same in JAX. XLA turns a division by a broadcast divisor into a multiplication by its reciprocal; divisors with
# the shape of the dividend prevent that.
def jax_group_quant(x, group_size, reciprocal):
    import jax.numpy as jnp

    groups = x.astype(F32).reshape(-1, group_size)
    amax = jnp.maximum(jnp.nanmax(jnp.abs(groups), axis=1, initial=0), F32(1e-10))
    scale = amax / jnp.full_like(amax, LIMIT)
    divisor = jnp.broadcast_to(scale[:, None], groups.shape)
    quotient = groups * (jnp.ones_like(divisor) / divisor) if reciprocal else groups / divisor
    codes = jnp.fmin(jnp.fmax(quotient, -LIMIT), LIMIT).astype(E4M3)
    return codes.reshape(x.shape), scale.reshape(x.shape[0], x.shape[1] // group_size)


def jax_static_quant(x, scale, divide):
    import jax.numpy as jnp

    wide, one = x.astype(F32), jnp.broadcast_to(scale[0, 0], x.shape)
    product = wide / one if divide else wide * (jnp.ones_like(one) / one)
    return jnp.fmax(jnp.fmin(product, LIMIT), -LIMIT).astype(E4M3)


def jax_rms_norm(x, gamma, eps, round_twice):
    import jax.numpy as jnp

    wide = x.astype(F32)
    mean = jnp.square(wide).sum(axis=1) / jnp.full(x.shape[:1], F32(x.shape[1]))
    r = jnp.ones_like(mean) / jnp.sqrt(mean + F32(eps))
    scaled = wide * r[:, None]
    scaled = scaled.astype(x.dtype).astype(F32) if round_twice else scaled
    return (scaled * gamma.astype(F32)).astype(x.dtype)


def jax_silu_and_mul(x, round_twice):
    import jax.numpy as jnp

    gate, up = (half.astype(F32) for half in jnp.split(x, 2, axis=1))
    silu = gate / (jnp.exp(-gate) + F32(1))
    return ((silu.astype(x.dtype).astype(F32) if round_twice else silu) * up).astype(x.dtype)


def jax_pack_scales(x, mask):
    import jax
    import jax.numpy as jnp

    if x.shape[0] % 4:
        raise NotImplementedError("the case needs padding after the columns, which a returned array does not have")
    bits = jax.lax.bitcast_convert_type(jnp.pad(x, ((0, 0), (0, -x.shape[1] % 4))), jnp.uint32).reshape(x.shape[0], -1, 4)
    a, b, c, d = (bits[:, :, i] for i in range(4))
    masks = (0xFF, 0xFF00, 0xFF0000, 0xFF000000) if mask else (0xFFFFFFFF,) * 4
    words = [part & jnp.uint32(keep) for part, keep in zip((a >> 23, b >> 15, c >> 7, d << 1), masks)]
    return jax.lax.bitcast_convert_type(words[0] | words[1] | words[2] | words[3], jnp.int32)


def in_jax(**declaration):
    return assay.kernel(arrays="jax", **declaration)


@in_jax(op="quant_group", contracts="vllm.group_fp8", accepts={"layout": ["row"]})
def jax_group_quant_right(x, group_size):
    return jax_group_quant(x, group_size, reciprocal=False)


@in_jax(op="quant_group", contracts="vllm.group_fp8", accepts={"layout": ["row"]})
def jax_group_quant_wrong(x, group_size):
    return jax_group_quant(x, group_size, reciprocal=True)


@in_jax(op="quant_static", contracts="vllm.static", accepts={"group_size": ["tensor"]})
def jax_static_quant_right(x, scale):
    return jax_static_quant(x, scale, divide=False)


@in_jax(op="quant_static", contracts="vllm.static", accepts={"group_size": ["tensor"]})
def jax_static_quant_wrong(x, scale):
    return jax_static_quant(x, scale, divide=True)


@in_jax(op="rms_norm", contracts="vllm.rms_norm@v0.19.1", accepts={"x": ["bf16"]})
def jax_rms_norm_right(x, gamma, eps):
    return jax_rms_norm(x, gamma, eps, round_twice=True)


@in_jax(op="rms_norm", contracts="vllm.rms_norm@v0.19.1", accepts={"x": ["bf16"]})
def jax_rms_norm_wrong(x, gamma, eps):
    return jax_rms_norm(x, gamma, eps, round_twice=False)


@in_jax(op="act_and_mul", contracts="vllm.silu_and_mul", accepts={"x": ["bf16"]})
def jax_silu_right(x):
    return jax_silu_and_mul(x, round_twice=True)


@in_jax(op="act_and_mul", contracts="vllm.silu_and_mul", accepts={"x": ["bf16"]})
def jax_silu_wrong(x):
    return jax_silu_and_mul(x, round_twice=False)


@in_jax(op="pack_scales", contracts="deepgemm.pack_ue8m0_torch")
def jax_pack_right(x):
    return jax_pack_scales(x, mask=True)


@in_jax(op="pack_scales", contracts="deepgemm.pack_ue8m0_torch")
def jax_pack_wrong(x):
    return jax_pack_scales(x, mask=False)


JAX_RIGHT = [jax_group_quant_right, jax_static_quant_right, jax_rms_norm_right, jax_silu_right, jax_pack_right]
_JAX_WRONG = [jax_group_quant_wrong, jax_static_quant_wrong, jax_rms_norm_wrong, jax_silu_wrong, jax_pack_wrong]
JAX_WRONG = [(kernel, cause) for kernel, (_, cause) in zip(_JAX_WRONG, WRONG)]

if __name__ == "__main__":
    right, wrong = (JAX_RIGHT, JAX_WRONG) if sys.argv[1:] == ["jax"] else (RIGHT, WRONG)
    for one in right + [kernel for kernel, _ in wrong]:
        print(one.name, repr(assay.run(one)))
