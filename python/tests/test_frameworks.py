"""JAX, which ci/test installs, and torch if it is installed. With another Python that has one:

    PYTHONPATH=python:python/examples python3 -m pytest python/tests/test_frameworks.py
"""

import ctypes
import os

import ml_dtypes
import numpy as np
import pytest

import assay
import five_ops
from assay import _tensors
from five_ops import group_quant

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # what XLA does to a formula differs on a GPU
CASES = "quant_group/vllm.group_fp8/bf16.m5.n1024.g128.row/*"
OFFER = {"op": "quant_group", "contracts": "vllm.group_fp8", "accepts": {"layout": ["row"]}}


def test_jax_divides_by_a_constant_as_the_contract_does_not():
    """XLA multiplies by the reciprocal of 448; the contract divides by 448."""
    jnp = pytest.importorskip("jax.numpy")

    @assay.kernel(arrays="jax", **OFFER)
    def quant(x, group_size):
        groups = x.astype(jnp.float32).reshape(-1, group_size)
        scale = jnp.maximum(jnp.nanmax(jnp.abs(groups), axis=1, initial=0), 1e-10) / jnp.float32(448)
        quotient = groups / scale[:, None]
        codes = jnp.where(jnp.isnan(quotient), -448.0, jnp.clip(quotient, -448, 448)).astype(jnp.float8_e4m3fn)
        return codes.reshape(x.shape), scale.reshape(x.shape[0], x.shape[1] // group_size)

    assert "scale: div(M) -> mul(1/M)" in assay.run(quant, cases=CASES).causes
    x = jnp.asarray(assay.inputs(CASES[:-1] + "normal.s1/w32").inputs["x"])
    q, scale = quant(x, 128)
    assert "scale: div(M) -> mul(1/M)" in assay.judge("vllm.group_fp8", x=x, q=q, scale=scale).causes[0]


# Cases of one shape for each op: XLA compiles every shape anew. They run in this process, which imports JAX once.
SILU = "act_and_mul/vllm.silu_and_mul/bf16.m5.n1024/"
JAX_CASES = {
    "quant_group": CASES,
    "quant_static": "quant_static/vllm.static/bf16.m5.n1024.g5x1024.row/*",
    "rms_norm": "rms_norm/vllm.rms_norm@v0.19.1/bf16.m4.n1024.eps1e-6/*",
    "act_and_mul": [SILU + one for one in ("normal.*", "gate_*")],
    "pack_scales": "pack_scales/deepgemm.pack_ue8m0_torch/m8.n56.*",
}


@pytest.mark.parametrize("kernel", five_ops.JAX_RIGHT, ids=lambda kernel: kernel.name)
def test_right_kernels_in_jax_pass(kernel):
    pytest.importorskip("jax")
    run = assay.run(kernel, cases=JAX_CASES[kernel.op], in_process=True)
    assert run and len(run.judged) >= 4, run.text


def test_xla_flushes_subnormals_on_a_cpu():
    pytest.importorskip("jax")
    run = assay.run(five_ops.jax_silu_right, cases=SILU + "wide.wide.s1/w32", in_process=True)
    assert len(run.failures) == 1 and "subnormal results are flushed" in next(iter(run.causes)), run.text


@pytest.mark.parametrize("kernel, cause", five_ops.JAX_WRONG, ids=lambda value: getattr(value, "name", None))
def test_wrong_kernels_in_jax_are_named(kernel, cause):
    pytest.importorskip("jax")
    run = assay.run(kernel, cases=JAX_CASES[kernel.op], in_process=True)
    assert not run and max(run.causes, key=run.causes.get) == cause, run.text


def test_a_worker_calls_kernels_in_jax():
    pytest.importorskip("jax")
    run = assay.run(five_ops.JAX_WRONG[0][0], cases=CASES[:-1] + "normal.s1/w32")
    assert not run.in_process and "code: div(s) -> mul(1/s)" in run.text, run.text


TYPES = ["bfloat16", "float16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e8m0fnu", "int8", "int32"]


@pytest.mark.parametrize("name", TYPES)
def test_types_of_jax_keep_their_bits(name):
    """A JAX array of each element type is described like the numpy array with the same bits."""
    jnp = pytest.importorskip("jax.numpy")
    kind = np.dtype(getattr(ml_dtypes, name, None) or name)
    codes = np.arange(1, 13, dtype=np.uint8 if kind.itemsize == 1 else f"u{kind.itemsize}").view(kind).reshape(3, 4)
    array = jnp.asarray(codes)
    one, other = _tensors.describe("x", array), _tensors.describe("x", codes)
    assert (one.dtype, one.shape, one.strides) == (other.dtype, other.shape, other.strides)
    assert ctypes.string_at(one.data, codes.nbytes) == codes.tobytes()
    with pytest.raises(ValueError, match="tensor 'x': has dtype bool"):
        _tensors.describe("x", array == array)


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    torch = pytest.importorskip("torch")
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU")
    return request.param


def test_torch_tensors_and_kernels(device):
    torch = pytest.importorskip("torch")

    def quant(x, group_size, reciprocal=False):
        groups = x.float().reshape(-1, group_size)
        amax = torch.nan_to_num(groups.abs(), nan=0.0, posinf=float("inf")).amax(dim=1, keepdim=True)
        scale = amax.clamp(min=1e-10) / torch.full_like(amax, 448)
        quotient = groups * (torch.ones_like(scale) / scale) if reciprocal else groups / scale
        codes = torch.nan_to_num(quotient, nan=-448.0, posinf=448.0, neginf=-448.0).clamp(-448, 448).to(torch.float8_e4m3fn)
        return codes.reshape(x.shape), scale.reshape(x.shape[0], x.shape[1] // group_size)

    x = torch.randn(64, 1024, device=device, dtype=torch.bfloat16)
    q, scale = quant(x, 128)
    assert assay.judge("vllm.group_fp8", x=x, q=q, scale=scale)
    assert assay.judge("vllm.group_fp8", x=x.requires_grad_(), q=q.view(torch.uint8), scale=scale)
    wide = torch.zeros(64, 2048, device=device, dtype=torch.uint8)
    wide[:, :1024] = q.view(torch.uint8)
    assert assay.judge("vllm.group_fp8", x=x, q=wide[:, :1024], scale=scale)
    aligned = torch.zeros(8, 64, device=device)
    aligned[:] = scale.T
    assert assay.judge("vllm.group_fp8", x=x, q=q, scale=aligned.T, layout="tma").case.endswith(".tma")
    with pytest.raises(ValueError, match="tensor 'q': is on device meta"):
        assay.judge("vllm.group_fp8", x=x, q=q.to("meta"), scale=scale)
    codes, scales = quant(x, 128, reciprocal=True)
    assert "code: div(s) -> mul(1/s)" in assay.judge("vllm.group_fp8", x=x, q=codes, scale=scales).causes[0]

    @assay.kernel(arrays="torch", device=device, **OFFER)
    def returns(x, group_size):
        return quant(x, group_size)

    @assay.kernel(arrays="torch", device=device, **OFFER)
    def writes(x, q, scale, group_size):
        codes, scales = quant(x, group_size, reciprocal=True)
        q.view(torch.uint8).copy_(codes.view(torch.uint8)), scale.copy_(scales)

    assert assay.run(returns, cases=CASES)
    assert "code: div(s) -> mul(1/s)" in assay.run(writes, cases=CASES).causes
    case = assay.inputs(CASES[:-1] + "normal.s1/w32", framework="torch", device=device)
    assert case.inputs["x"].device.type == device and np.shape(case.inputs["x"]) == (5, 1024)
    q, scale = quant(case.inputs["x"], 128)
    assert case.check(q=q, scale=scale)


def test_cases_without_rows_have_empty_tensors(device):
    torch = pytest.importorskip("torch")
    case = assay.inputs("quant_group/vllm.group_fp8/bf16.m0.n128.g128.row/normal.s31/w32", framework="torch", device=device)
    x = case.inputs["x"]
    assert x.shape == (0, 128) and x.dtype == torch.bfloat16 and x.device.type == device


def test_ops_of_torch_and_functions_of_tvm_ffi_are_kernels():
    """Neither function uses the suite's argument names, so arguments are passed by order."""
    torch = pytest.importorskip("torch")

    def quant(x, q, scale, size):
        codes, scales = group_quant(x.view(torch.int16).numpy().view(ml_dtypes.bfloat16), size, True)
        q.view(torch.uint8).copy_(torch.from_numpy(codes.view(np.uint8)))
        scale.copy_(torch.from_numpy(scales))

    library = torch.library.Library("assay_test", "FRAGMENT")
    library.define("quant(Tensor x, Tensor(a!) out, Tensor(b!) s, int size) -> ()")
    library.impl("quant", quant, "CPU")
    callables = [torch.ops.assay_test.quant, torch.ops.assay_test.quant.default]
    try:
        import tvm_ffi

        tensors = (lambda x, q, scale, size: quant(*map(torch.from_dlpack, (x, q, scale)), size))
        callables.append(tvm_ffi.convert(tensors))
    except ImportError:
        pass
    for one in callables:
        order = assay.kernel(one, arrays="torch", arguments=["x", "q", "scale", "group_size"], name="quant", **OFFER)
        run = assay.run(order, cases=CASES[:-1] + "normal.s1/w32")
        assert "code: div(s) -> mul(1/s)" in run.text, run.text
