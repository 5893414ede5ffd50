"""assay.capture of custom ops of vLLM and SGLang and of functions of FlashInfer and SGLang. Stand-ins in torch have the names and
signatures of the releases (vllm 0.33.0, sgl-kernel 0.3.21, flashinfer-python 0.7.2, sglang 0.5.23), computed as the contract says
or with one mistake. CI has no torch; run this file with a Python that has it, on CUDA too if there is a device:

    PYTHONPATH=python:python/examples python3 -m pytest python/tests/test_capture_ops.py
"""

import sys
import types

import pytest

import assay

torch = pytest.importorskip("torch", reason="torch is not installed")

# The ops' schemas as the releases declare them
SCHEMAS = {
    "_C": [
        "rms_norm(Tensor! result, Tensor input, Tensor? weight, float epsilon) -> ()",
        "fused_add_rms_norm(Tensor! input, Tensor! residual, Tensor? weight, float epsilon) -> ()",
        "silu_and_mul(Tensor! result, Tensor input) -> ()",
        "static_scaled_fp8_quant(Tensor! result, Tensor input, Tensor scale, int[]? group_shape=None) -> ()",
        "dynamic_per_token_scaled_fp8_quant(Tensor! result, Tensor input, Tensor! scale, Tensor? scale_ub) -> ()",
        "dynamic_scaled_int8_quant(Tensor! result, Tensor input, Tensor! scale, Tensor!? azp) -> ()",
        "per_token_group_fp8_quant(Tensor input, Tensor! output_q, Tensor! output_s, int group_size, float eps, float fp8_min, "
        "float fp8_max, bool scale_ue8m0, bool dummy_is_scale_transposed, bool dummy_is_tma_aligned) -> ()",
        "gptq_shuffle(Tensor! q_weight, Tensor q_perm, int bit) -> ()",
    ],
    "sgl_kernel": [
        "rmsnorm(Tensor! output, Tensor input, Tensor weight, float eps, bool enable_pdl) -> ()",
        "gemma_rmsnorm(Tensor! output, Tensor input, Tensor weight, float eps, bool enable_pdl) -> ()",
        "sgl_per_token_group_quant_8bit(Tensor input, Tensor output_q, Tensor output_s, int group_size, float eps, "
        "float fp8_min, float fp8_max, bool scale_ue8m0) -> ()",
    ],
}
wrong = set()  # names of stand-ins that make their mistake


def norm(x, gamma, eps, name, bias=0.0):
    """x * r * gamma in fp32, rounded once. The mistake rounds r, too."""
    r = torch.rsqrt((x.float() * x.float()).mean(dim=-1, keepdim=True) + eps)
    r = r.to(gamma.dtype).float() if name in wrong else r
    return (x.float() * r * (gamma.float() + bias)).to(gamma.dtype)


def codes(x, scale, name, reciprocal):
    """Codes of fp8. `reciprocal`: the contract multiplies by 1 / scale instead of dividing; the mistake does the opposite."""
    x32 = x.float()
    quotient = x32 * (torch.ones_like(scale) / scale) if reciprocal != (name in wrong) else x32 / scale
    return quotient.clamp(-448, 448).to(torch.float8_e4m3fn)


def group_quant(x, q, scale, group_size, name, reciprocal):
    """The mistake divides by 240 instead of 448. Another way to divide would be no mistake: vLLM's releases differ in it."""
    groups = x.float().reshape(-1, group_size)
    largest = torch.full((1,), 240.0 if name in wrong else 448.0, device=x.device)
    s = groups.abs().amax(dim=1, keepdim=True).clamp(min=1e-10) / largest
    q.copy_(codes(groups, s, "", reciprocal).reshape(q.shape))
    scale.copy_(s.reshape(scale.shape))


def c_rms_norm(result, x, weight, epsilon):
    result.copy_(norm(x, weight, epsilon, "_C::rms_norm"))


def c_fused_add_rms_norm(x, residual, weight, epsilon):
    residual.copy_((x.float() + residual.float()).to(x.dtype))
    x.copy_(norm(residual, weight, epsilon, "_C::fused_add_rms_norm"))


def c_silu_and_mul(result, x):
    gate, up = x.chunk(2, dim=-1)
    gate = gate.float() / (1 + torch.exp(-gate.float()))
    gate = gate if "_C::silu_and_mul" in wrong else gate.to(x.dtype).float()
    result.copy_(gate * up.float())


def c_static_scaled_fp8_quant(result, x, scale, group_shape=None):
    result.copy_(codes(x, scale, "_C::static_scaled_fp8_quant", reciprocal=True))


def c_dynamic_per_token_scaled_fp8_quant(result, x, scale, scale_ub):
    scale.copy_(x.float().abs().amax(dim=1, keepdim=True) / torch.full((1,), 448.0, device=x.device))
    result.copy_(codes(x, scale, "_C::dynamic_per_token_scaled_fp8_quant", reciprocal=False))


def c_dynamic_scaled_int8_quant(result, x, scale, azp):
    amax = x.float().abs().amax(dim=1, keepdim=True)
    scale.copy_(amax / torch.full((1,), 127.0, device=x.device))
    product = x.float() / scale if "_C::dynamic_scaled_int8_quant" in wrong else x.float() * (torch.full_like(amax, 127) / amax)
    result.copy_(product.round().clamp(-128, 127).to(torch.int8))


def c_per_token_group_fp8_quant(x, q, scale, group_size, eps, low, high, ue8m0, transposed, aligned):
    group_quant(x, q, scale, group_size, "_C::per_token_group_fp8_quant", reciprocal=True)


def c_gptq_shuffle(q_weight, q_perm, bit):
    q_weight.add_(bit)


def sgl_rmsnorm(output, x, weight, eps, enable_pdl):
    output.copy_(norm(x, weight, eps, "sgl_kernel::rmsnorm"))


def sgl_gemma_rmsnorm(output, x, weight, eps, enable_pdl):
    output.copy_(norm(x, weight, eps, "sgl_kernel::gemma_rmsnorm", bias=1.0))


def sgl_sgl_per_token_group_quant_8bit(x, q, scale, group_size, eps, low, high, ue8m0):
    group_quant(x, q, scale, group_size, "sgl_kernel::sgl_per_token_group_quant_8bit", reciprocal=False)


@pytest.fixture(scope="module")
def ops():
    """Registers the stand-ins as the ops of SCHEMAS; skips the tests if an installed library has registered one of them."""
    libraries = []
    for namespace, schemas in SCHEMAS.items():
        library = torch.library.Library(namespace, "FRAGMENT")
        for schema in schemas:
            name = schema.partition("(")[0]
            if torch._C._dispatch_has_kernel(f"{namespace}::{name}"):
                pytest.skip(f"{namespace}::{name} is installed")
            library.define(schema)
            library.impl(name, globals()[f"{'c' if namespace == '_C' else 'sgl'}_{name}"], "CompositeExplicitAutograd")
        libraries.append(library)
    yield torch.ops
    del libraries


@pytest.fixture
def functions(monkeypatch):
    """flashinfer.norm and SGLang's group quantization: Python functions that call compiled code."""
    flashinfer, quantization = types.ModuleType("flashinfer.norm"), types.ModuleType("per_token_group_quant")

    def rmsnorm(input, weight, out=None, eps=1e-6, enable_pdl=None):
        return norm(input, weight, eps, "flashinfer.norm.rmsnorm")

    def fused_add_rmsnorm(input, residual, weight, eps=1e-6, enable_pdl=None):
        total = input.float() + residual.float()
        residual.copy_(total)
        input.copy_(norm(total, weight, eps, "flashinfer.norm.fused_add_rmsnorm"))

    def per_token_group_quant(
        input,
        output_q=None,
        output_s=None,
        group_size=128,
        scale_ue8m0=False,
        fuse_silu_and_mul=False,
        masked_m=None,
        expected_m=None,
        *,
        out_dtype=None,
        column_major_scales=False,
        sorted_token_ids=None,
        num_tokens_post_padded=None,
        num_valid_tokens=0,
        silu_and_mul_mode="legacy",
    ):
        groups = input.float().reshape(-1, group_size)
        amax = groups.abs().amax(dim=1, keepdim=True).clamp(min=1e-10)
        limit = torch.full((1,), 448.0, device=input.device)
        scale = amax / limit if PER_TOKEN_GROUP_QUANT in wrong else amax * (1 / limit)
        q = (groups * (limit / amax)).clamp(-448, 448).to(torch.float8_e4m3fn)
        return q.reshape(input.shape), scale.reshape(input.shape[0], -1)

    flashinfer.rmsnorm, flashinfer.fused_add_rmsnorm = rmsnorm, fused_add_rmsnorm
    quantization.per_token_group_quant = per_token_group_quant
    monkeypatch.setitem(sys.modules, "flashinfer.norm", flashinfer)
    monkeypatch.setitem(sys.modules, PER_TOKEN_GROUP_QUANT.rpartition(".")[0], quantization)
    return types.SimpleNamespace(flashinfer=flashinfer, quantization=quantization)


PER_TOKEN_GROUP_QUANT = "sglang.kernels.ops.quantization.per_token_group_quant.per_token_group_quant"
NORM_MISTAKE, DIVISION, RECIPROCAL = "r: to(x) after rsqrt", "mul(m) -> div(s)", "div(s) -> mul(1/s)"


@pytest.fixture(params=["cpu", "cuda"])
def tensors(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU")
    torch.manual_seed(1)

    def random(*shape, dtype=torch.bfloat16):
        return torch.randn(*shape, dtype=dtype).to(request.param)

    def empty(*shape, dtype=torch.float32):
        return torch.empty(*shape, dtype=dtype, device=request.param)

    return types.SimpleNamespace(random=random, empty=empty, device=request.param)


def judged(tmp_path, call, select=None):
    """Captures call() twice, with correct stand-ins and with wrong ones. Returns {op: [calls]} of each capture."""
    found = []
    for name in ("right", "wrong"):
        wrong.clear()
        wrong.update(MISTAKES if name == "wrong" else ())
        with assay.capture(tmp_path / name, ops=select) as recorded:
            call()
        wrong.clear()
        assert not recorded.left_out, recorded
        by_op = {}
        for one in assay.judge_capture(tmp_path / name).calls:
            by_op.setdefault(one.said["op"], []).append(one)
        found.append(by_op)
    return found


MISTAKES = {
    "_C::rms_norm": NORM_MISTAKE,
    "_C::fused_add_rms_norm": NORM_MISTAKE,
    "_C::silu_and_mul": "drop to(x)#1",
    "_C::static_scaled_fp8_quant": DIVISION,
    "_C::dynamic_per_token_scaled_fp8_quant": RECIPROCAL,
    "_C::dynamic_scaled_int8_quant": DIVISION,
    "_C::per_token_group_fp8_quant": "M: 448 -> 240",
    "sgl_kernel::rmsnorm": NORM_MISTAKE,
    "sgl_kernel::gemma_rmsnorm": NORM_MISTAKE,
    "sgl_kernel::sgl_per_token_group_quant_8bit": "M: 448 -> 240",
    "flashinfer.norm.rmsnorm": NORM_MISTAKE,
    "flashinfer.norm.fused_add_rmsnorm": NORM_MISTAKE,
    PER_TOKEN_GROUP_QUANT: "scale: mul(1/M) -> div(M)",
}


def call_compiled_ops(ops, t):
    x, gamma, wide = t.random(64, 1024), t.random(1024) + 1, t.random(64, 2048)
    fp8 = torch.float8_e4m3fn
    q, scale = t.empty(64, 1024, dtype=fp8), t.empty(64, 1)
    y = torch.empty_like(x)
    ops._C.rms_norm(y, x, gamma, 1e-6)
    ops._C.fused_add_rms_norm(x.clone(), t.random(64, 1024), gamma, 1e-6)
    ops._C.silu_and_mul(y, wide)
    ops._C.static_scaled_fp8_quant(q, x, torch.full((1,), 7.0, device=t.device))
    ops._C.dynamic_per_token_scaled_fp8_quant(q, x, scale, None)
    ops._C.dynamic_scaled_int8_quant(t.empty(64, 1024, dtype=torch.int8), x, scale, None)
    groups = t.empty(64, 8)
    ops._C.per_token_group_fp8_quant(x, q, groups, 128, 1e-10, -448.0, 448.0, False, False, False)
    ops._C.per_token_group_fp8_quant(x, q, t.empty(8, 64).T, 128, 1e-10, -448.0, 448.0, False, True, False)
    ops._C.gptq_shuffle(t.empty(4, 4, dtype=torch.int32), t.empty(4, dtype=torch.int32), 4)
    ops.sgl_kernel.rmsnorm.default(y, x, gamma, 1e-6, False)
    ops.sgl_kernel.gemma_rmsnorm.default(y, x, gamma, 1e-6, False)
    ops.sgl_kernel.sgl_per_token_group_quant_8bit.default(x, q, groups, 128, 1e-10, -448.0, 448.0, False)


def test_compiled_ops_are_recorded_and_judged(ops, tensors, tmp_path):
    right, mistaken = judged(tmp_path, lambda: call_compiled_ops(ops, tensors))
    compiled = {name for name in MISTAKES if "::" in name}
    assert set(right) >= compiled and set(mistaken) >= compiled
    for name in compiled:
        assert all(right[name]), f"{name}: {right[name][0].result.text}"
        for call in mistaken[name]:
            assert not call and MISTAKES[name] in call.result.causes[0], f"{name}: {call.result.text}"
    assert [one.result.case.split(".")[-1] for one in right["_C::per_token_group_fp8_quant"]] == ["row", "col"]


def test_ops_outside_the_map_have_their_shapes_recorded(ops, tensors, tmp_path):
    with assay.capture(tmp_path / "c", ops=["_C::*"]) as recorded:
        call_compiled_ops(ops, tensors)
    assert [key.partition("(")[0] for key in recorded.shapes] == ["_C::gptq_shuffle"]
    assert "sgl_kernel::rmsnorm" not in recorded.recorded and recorded.recorded["_C::rms_norm"] == 1


def test_functions_are_recorded_and_judged(functions, tensors, tmp_path):
    def call():
        x, gamma = tensors.random(64, 1024), tensors.random(1024) + 1
        functions.flashinfer.rmsnorm(x, gamma)
        functions.flashinfer.fused_add_rmsnorm(x.clone(), tensors.random(64, 1024), gamma)
        functions.quantization.per_token_group_quant(x)

    right, mistaken = judged(tmp_path, call, ["flashinfer.*", "sglang.*"])
    names = [name for name in MISTAKES if "::" not in name]
    assert sorted(right) == sorted(mistaken) == sorted(names)
    for name in names:
        assert all(right[name]), f"{name}: {right[name][0].result.text}"
        assert not any(mistaken[name]) and MISTAKES[name] in mistaken[name][0].result.causes[0], mistaken[name][0].result.text


def test_arguments_that_no_row_describes_are_told(ops, tensors, tmp_path):
    """The arguments are the limits of e5m2, which no row of the map has: only shapes are counted, and nothing is judged."""
    x, q, scale = tensors.random(4, 256), tensors.empty(4, 256, dtype=torch.float8_e5m2), tensors.empty(4, 2)
    with assay.capture(tmp_path / "c", ops=["_C::per_token_group_fp8_quant"]) as recorded:
        ops._C.per_token_group_fp8_quant(x, q, scale, 128, 1e-10, -57344.0, 57344.0, False, False, False)
    reasons = recorded.left_out["_C::per_token_group_fp8_quant"]
    assert list(reasons) == ["no row of op_map.csv fits these arguments; only their shapes are counted"] and len(recorded.shapes) == 1
