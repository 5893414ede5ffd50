"""Adapters: functions that call ops of vLLM, SGLang, FlashInfer, AITER and TransformerEngine as kernels of the suite. All except te_nvfp4_reference need a GPU.

The calls follow the signatures of vllm 0.33.0, sglang 0.5.23, sgl-kernel of commit 0063ef14, flashinfer-python 0.7.2.post1,
amd-aiter 0.1.7.post2.dev18 and transformer-engine 2.20.2.
"""

from ._adapters import adapter, function

# vLLM's compiled ops, called through torch.ops


def _c(name):
    import torch
    import vllm._custom_ops  # noqa: F401  registers the ops

    return getattr(torch.ops._C, name)


def _vllm(calls, op, contracts, **more):
    return adapter("vllm", " ".join(f"_C::{one}" for one in calls.split()), op, contracts, "cuda", **more)


@_vllm("rms_norm", "rms_norm", "vllm.rms_norm@2026-06-18 vllm.rms_norm@v0.19.1")
def vllm_rms_norm(x, gamma, y, eps):
    _c("rms_norm")(y, x, gamma, eps)


@_vllm("fused_add_rms_norm", "fused_add_rms_norm", "vllm.fused_add_rms_norm@2026-06-18 vllm.fused_add_rms_norm@v0.19.1")
def vllm_fused_add_rms_norm(x, residual, gamma, y, eps):
    y.copy_(x)
    _c("fused_add_rms_norm")(y, residual, gamma, eps)


@_vllm(
    "rms_norm_static_fp8_quant",
    "rms_norm_quant_static",
    "vllm.rms_norm_static_fp8_quant@2026-06-18 vllm.rms_norm_static_fp8_quant@v0.19.1",
)
def vllm_rms_norm_static_fp8_quant(x, gamma, scale, q, eps):
    _c("rms_norm_static_fp8_quant")(q, x, gamma, scale, eps)


_ADD_STATIC = "vllm.fused_add_rms_norm_static_fp8_quant"


@_vllm("fused_add_rms_norm_static_fp8_quant", "rms_norm_quant_static", f"{_ADD_STATIC}@2026-06-18 {_ADD_STATIC}@v0.19.1")
def vllm_fused_add_rms_norm_static_fp8_quant(x, residual, gamma, scale, q, eps):
    _c("fused_add_rms_norm_static_fp8_quant")(q, x, residual, gamma, scale, eps)


_TOKEN = "vllm.rms_norm_dynamic_per_token_quant"


@_vllm("rms_norm_dynamic_per_token_quant", "rms_norm_quant_group", f"{_TOKEN} {_TOKEN}_int8")
def vllm_rms_norm_dynamic_per_token_quant(x, gamma, q, scale, eps):
    _c("rms_norm_dynamic_per_token_quant")(q, x, gamma, scale, eps, None, None)


_BLOCK = "vllm.rms_norm_per_block_quant"


@_vllm("rms_norm_per_block_quant", "rms_norm_quant_group", f"{_BLOCK}@v0.33.0 {_BLOCK}", accepts={"layout": ["row"]})
def vllm_rms_norm_per_block_quant(x, gamma, q, scale, eps, group_size):
    _c("rms_norm_per_block_quant")(q, x, gamma, scale, eps, None, None, group_size, False)


def _gated(name):
    def gated(x, y):
        _c(name)(y, x.contiguous())

    gated.__name__ = gated.__qualname__ = f"vllm_{name}"
    return _vllm(name, "act_and_mul", f"vllm.{name}@v0.24.0 vllm.{name}")(gated)


vllm_silu_and_mul, vllm_gelu_and_mul, vllm_gelu_tanh_and_mul = map(
    _gated, ("silu_and_mul", "gelu_and_mul", "gelu_tanh_and_mul")
)


@_vllm("silu_and_mul_quant", "silu_mul_quant_static", "vllm.silu_and_mul_quant@v0.9.0 vllm.silu_and_mul_quant")
def vllm_silu_and_mul_quant(x, scale, q):
    _c("silu_and_mul_quant")(q, x.contiguous(), scale)


@_vllm("silu_and_mul_per_block_quant", "silu_mul_quant_group", "vllm.silu_and_mul_per_block_quant", accepts={"layout": ["row"]})
def vllm_silu_and_mul_per_block_quant(x, q, scale, group_size):
    _c("silu_and_mul_per_block_quant")(q, x.contiguous(), scale, group_size, None, False)


@_vllm("static_scaled_fp8_quant", "quant_static", "vllm.static", accepts={"group_size": ["tensor"]})
def vllm_static_scaled_fp8_quant(x, scale, q):
    _c("static_scaled_fp8_quant")(q, x, scale, None)


@_vllm("dynamic_scaled_fp8_quant", "quant_tile", "vllm.per_tensor")
def vllm_dynamic_scaled_fp8_quant(x, q, scale):
    _c("dynamic_scaled_fp8_quant")(q, x, scale)


@_vllm("dynamic_per_token_scaled_fp8_quant", "quant_group", "vllm.per_token")
def vllm_dynamic_per_token_scaled_fp8_quant(x, q, scale):
    _c("dynamic_per_token_scaled_fp8_quant")(q, x, scale, None)


@_vllm("dynamic_scaled_int8_quant", "quant_group", "vllm.per_token_int8")
def vllm_dynamic_scaled_int8_quant(x, q, scale):
    _c("dynamic_scaled_int8_quant")(q, x.contiguous(), scale, None)


@_vllm("per_token_group_fp8_quant", "quant_group", "vllm.group_fp8@v0.33.0 vllm.group_fp8", accepts={"layout": ["row", "col"]})
def vllm_per_token_group_fp8_quant(x, q, scale, group_size):
    by_columns = scale.stride(0) == 1 and scale.shape[0] > 1
    limits = (1e-10, -448.0, 448.0)
    _c("per_token_group_fp8_quant")(x.contiguous(), q, scale, group_size, *limits, False, by_columns, False)


@_vllm("per_token_group_quant_int8", "quant_group", "vllm.group_int8@v0.33.0 vllm.group_int8", accepts={"layout": ["row"]})
def vllm_per_token_group_quant_int8(x, q, scale, group_size):
    _c("per_token_group_quant_int8")(x.contiguous(), q, scale, group_size, 1e-10, -128.0, 127.0)


# SGLang's quantization, which compiles at its first call, and its library of compiled ops

_GROUP = "sglang.kernels.ops.quantization.per_token_group_quant:per_token_group_quant"
_GROUP_V2 = _GROUP.replace("per_token_group_quant", "per_token_group_quant_8bit_v2")
_GROUP_IDS = "sglang.group_8bit@v0.5.23 sglang.group_8bit@v0.5.17"  # obeyed for bf16, and for fp16


@adapter("sglang", _GROUP, "quant_group", _GROUP_IDS, "cuda", accepts={"layout": ["row"]})
def sglang_per_token_group_quant(x, q, scale, group_size):
    function(_GROUP)(x.contiguous(), q, scale, group_size)


def _group_v2(name, contract, ue8m0):
    """Calls the kernel that was the default before v0.5.17. Since then SGLang uses it only for fp32 scales that are powers of two."""

    def quant(x, q, scale, group_size):
        function(_GROUP_V2)(x.contiguous(), q, scale, group_size, 1e-10, -448.0, 448.0, scale_ue8m0=ue8m0)

    quant.__name__ = quant.__qualname__ = name
    return adapter("sglang", _GROUP_V2, "quant_group", contract, "cuda", accepts={"layout": ["row"]})(quant)


sglang_group_v2 = _group_v2("sglang_group_v2", "sglang.group_8bit_v2", False)
sglang_group_v2_ue8m0 = _group_v2("sglang_group_v2_ue8m0", "sglang.group_8bit_v2_ue8m0_f32", True)


@adapter("sglang", "sgl_kernel::rmsnorm", "rms_norm", "flashinfer.rms_norm", "cuda")
def sgl_kernel_rmsnorm(x, gamma, eps):
    return function("sgl_kernel:rmsnorm")(x.contiguous(), gamma, eps)


@adapter("sglang", "sgl_kernel::gemma_rmsnorm", "rms_norm", "flashinfer.gemma_rms_norm", "cuda")
def sgl_kernel_gemma_rmsnorm(x, gamma, eps):
    return function("sgl_kernel:gemma_rmsnorm")(x.contiguous(), gamma, eps)


# FlashInfer


def _checked(name):
    """Returns a function of flashinfer.norm. If the function rejects types or shapes before the launch, the case is skipped."""

    def call(*arguments):
        try:
            return function(f"flashinfer.norm:{name}")(*arguments)
        except RuntimeError as error:
            if "Check failed" not in str(error):
                raise
            raise NotImplementedError(str(error).strip().splitlines()[0]) from error

    return call


def _norm(name):
    contract = f"flashinfer.{name.replace('rmsnorm', 'rms_norm')}"

    def norm(x, gamma, eps):
        return _checked(name)(x.contiguous(), gamma, eps)

    norm.__name__ = norm.__qualname__ = f"flashinfer_{name}"
    return adapter("flashinfer-python", f"flashinfer.norm:{name}", "rms_norm", f"{contract}@v0.6.7 {contract}", "cuda")(norm)


def _add_norm(name):
    contract = f"flashinfer.{name.replace('rmsnorm', 'rms_norm')}"

    def norm(x, residual, gamma, y, eps):
        y.copy_(x)
        _checked(name)(y, residual, gamma, eps)

    norm.__name__ = norm.__qualname__ = f"flashinfer_{name}"
    return adapter(
        "flashinfer-python", f"flashinfer.norm:{name}", "fused_add_rms_norm", f"{contract}@v0.6.7 {contract}", "cuda"
    )(norm)


flashinfer_rmsnorm, flashinfer_gemma_rmsnorm = map(_norm, ("rmsnorm", "gemma_rmsnorm"))
flashinfer_fused_add_rmsnorm, flashinfer_gemma_fused_add_rmsnorm = map(
    _add_norm, ("fused_add_rmsnorm", "gemma_fused_add_rmsnorm")
)


def _flashinfer(name, op, contracts, where="cuda", **more):
    return adapter("flashinfer-python", f"flashinfer.norm:{name}", op, contracts, where, **more)


@_flashinfer("rmsnorm_quant", "rms_norm_quant_static", "flashinfer.rmsnorm_quant@v0.6.7 flashinfer.rmsnorm_quant")
def flashinfer_rmsnorm_quant(x, gamma, scale, q, eps):
    _checked("rmsnorm_quant")(q, x.contiguous(), gamma, scale.reshape(1), eps)


_ADD_QUANT = "flashinfer.fused_add_rmsnorm_quant"


@_flashinfer("fused_add_rmsnorm_quant", "rms_norm_quant_static", f"{_ADD_QUANT}@v0.6.7 {_ADD_QUANT}")
def flashinfer_fused_add_rmsnorm_quant(x, residual, gamma, scale, q, eps):
    _checked("fused_add_rmsnorm_quant")(q, x.contiguous(), residual, gamma, scale.reshape(1), eps)


# FlashInfer calls its CuTe kernel or, if the CuTe DSL is not installed, TensorRT-LLM's kernel
@_flashinfer("layernorm", "layer_norm", "flashinfer.layer_norm trtllm.layer_norm")
def flashinfer_layernorm(x, gamma, beta, eps):
    return _checked("layernorm")(x.contiguous(), gamma, beta, eps)


_MXFP8 = "flashinfer.quantization.fp8_quantization:mxfp8_quantize"


@adapter("flashinfer-python", _MXFP8, "quant_group", "flashinfer.mxfp8", "sm_100", accepts={"layout": ["e8m0_row"]})
def flashinfer_mxfp8_quantize(x, q, scale):
    codes, bytes_ = function(_MXFP8)(x.contiguous(), is_sf_swizzled_layout=False)
    q.copy_(codes)
    scale.view(bytes_.dtype).copy_(bytes_.reshape(scale.shape))


# AITER

_QUANT, _RMS = "aiter.ops.quant:", "aiter.ops.rmsnorm:"


@adapter("amd-aiter", _QUANT + "static_per_tensor_quant", "quant_static", "aiter.static aiter.static_fnuz", "gfx")
def aiter_static_per_tensor_quant(x, scale, q):
    function(_QUANT + "static_per_tensor_quant")(q, x.contiguous(), scale)


@adapter("amd-aiter", _QUANT + "dynamic_per_tensor_quant", "quant_tile", "aiter.per_tensor aiter.per_tensor_fnuz", "gfx")
def aiter_dynamic_per_tensor_quant(x, q, scale):
    function(_QUANT + "dynamic_per_tensor_quant")(q, x.contiguous(), scale)


@adapter("amd-aiter", _QUANT + "dynamic_per_token_scaled_quant", "quant_group", "aiter.per_token aiter.per_token_fnuz", "gfx")
def aiter_dynamic_per_token_scaled_quant(x, q, scale):
    function(_QUANT + "dynamic_per_token_scaled_quant")(q, x.contiguous(), scale)


_NORM_QUANT = "rmsnorm2d_fwd_with_dynamicquant"


@adapter("amd-aiter", _RMS + _NORM_QUANT, "rms_norm_quant_group", "aiter.rmsnorm_quant aiter.rmsnorm_quant_fnuz", "gfx")
def aiter_rmsnorm2d_fwd_with_dynamicquant(x, gamma, q, scale, eps):
    function(_RMS + _NORM_QUANT)(q, x.contiguous(), scale, gamma, eps)


# TransformerEngine. No contract describes its MXFP8 quantization, so it is compared with contracts that have the same formats.
# The NVFP4 reference of TransformerEngine is Python code, which runs without the compiled library, also on a CPU

_NVFP4 = "transformer_engine/pytorch/custom_recipes/reference_nvfp4.py:NVFP4QuantizerRef._quantize_blockwise_reference"


@adapter("transformer-engine", _NVFP4, "quant_group", "transformer_engine.nvfp4", accepts={"layout": ["ue4m3_row"]})
def te_nvfp4_reference(x, global_scale):
    """The function takes the tensor's amax and computes global_scale = 448 * 6 / amax. The case has global_scale, so this
    searches for an amax that gives it."""
    import torch

    if global_scale.numel() != 1:
        raise NotImplementedError("the function supports only one global scale")
    limit, amax = torch.full_like(global_scale, 448 * 6), torch.full_like(global_scale, 448 * 6) / global_scale
    near = [amax, amax.nextafter(amax * 0), amax.nextafter(amax * torch.inf)]
    exact = next((one for one in near if torch.equal(limit / one, global_scale)), None)
    if exact is None:
        raise NotImplementedError("the function computes the global scale from amax, and no amax gives the scale of this case")
    return function(_NVFP4)(x.contiguous(), exact, 16, 1, pow_2_scales=False, eps=0.0)



_MX_QUANTIZER = "transformer_engine.pytorch.tensor.mxfp8_tensor:MXFP8Quantizer"
_TE_CANDIDATES = "torchao.mx_rceil flashinfer.mxfp8 flashinfer.mxfp8_cute"


@adapter("transformer-engine", _MX_QUANTIZER, "quant_group", _TE_CANDIDATES, "sm_100", accepts={"layout": ["e8m0_row"]})
def te_mxfp8_quantizer(x, q, scale):
    import transformer_engine_torch as tex

    made = function(_MX_QUANTIZER)(tex.DType.kFloat8E4M3, rowwise=True, columnwise=False)(x.contiguous())
    q.view(made._rowwise_data.dtype).copy_(made._rowwise_data)
    scale.view(made._rowwise_scale_inv.dtype).copy_(made._rowwise_scale_inv[: scale.shape[0], : scale.shape[1]])
