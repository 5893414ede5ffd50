"""torch and JAX, if they are installed. CI has neither; run this file with a Python that has one:

    PYTHONPATH=python:python/examples python3 -m pytest python/tests/test_frameworks.py
"""
import numpy as np
import pytest

import assay
from five_ops import group_quant

CASES = "quant_group/vllm.group_fp8/bf16.m5.n1024.g128.row/*"
OFFER = {"op": "quant_group", "contracts": "vllm.group_fp8", "accepts": {"layout": ["row"]}}


def test_jax_divides_by_a_constant_as_the_contract_does_not():
    """XLA multiplies by the reciprocal of 448."""
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
