"""Adapters: functions that call ops of torch, torchao, Liger and triton_kernels as kernels of the suite. python -m assay.libraries runs them."""

import ast
import functools
import importlib
import importlib.util
import types
import typing
from pathlib import Path

from ._kernel import Kernel

_FREE = {"classmethod", "staticmethod"}  # decorators of methods that can be called without an object
ADAPTERS = {}  # library -> [Adapter], in the order of the file


class Adapter:
    """A Kernel that calls functions of a library.

    calls: these functions, as "module:name" or "namespace::op"
    device: the device that they need: "any", "cuda", "sm_90", "sm_100" or "gfx" (AMD)
    """

    def __init__(self, kernel, calls, device):
        self.kernel, self.calls, self.device = kernel, calls, device


@functools.lru_cache(maxsize=None)
def device():
    """Returns the device on which the installed torch computes: cuda or cpu."""
    try:
        import torch
    except ImportError:
        return "cpu"
    return "cuda" if torch.cuda.is_available() else "cpu"


def adapter(library, calls, op, contracts, where="any", accepts=None, multiple_of=None):
    """Declares a function as an adapter; its arguments are tensors and parameters by name. contracts: ids that it may
    obey, the expected one first."""

    def declare(function):
        kernel = Kernel(function, op, contracts.split(), "torch", device() if where == "any" else "cuda", accepts, multiple_of)
        ADAPTERS.setdefault(library, []).append(Adapter(kernel, calls.split(), where))
        return kernel

    return declare


def function(place):
    """Returns the function "module:name". "package/path.py:name" loads it from the source file of a package that cannot be imported."""
    module, _, name = place.partition(":")
    owner = _top_level(module) if module.endswith(".py") else importlib.import_module(module)
    return functools.reduce(getattr, name.split("."), owner)


@functools.lru_cache(maxsize=None)
def _top_level(path):
    """Returns a module with the functions of a source file, and with the class methods and static methods of its classes. Executes only
    these, with torch and typing imported."""
    import torch

    package, _, rest = path.partition("/")
    found = importlib.util.find_spec(package)
    if found is None or not found.origin:
        raise ImportError(f"no package {package}")
    tree = ast.parse((Path(found.origin).parent / rest).read_text(), path)
    kept = [ast.parse("from __future__ import annotations").body[0]]
    for one in tree.body:
        if isinstance(one, ast.ClassDef):
            methods = [method for method in one.body if isinstance(method, ast.FunctionDef)]
            free = [method for method in methods if {getattr(mark, "id", "") for mark in method.decorator_list} & _FREE]
            kept.append(ast.ClassDef(one.name, [], [], free or [ast.Pass()], [], type_params=[]))
        elif isinstance(one, ast.FunctionDef) and not one.decorator_list:
            kept.append(one)
    module = types.ModuleType(path)
    module.__dict__.update(torch=torch, **{name: getattr(typing, name) for name in ("Iterable", "Optional", "Tuple", "Union")})
    exec(compile(ast.fix_missing_locations(ast.Module(kept, [])), path, "exec"), module.__dict__)
    return module


# torch


def _cast(dtype, calls, contracts):
    def cast(x):
        import torch

        return x.to(getattr(torch, dtype))

    cast.__name__ = cast.__qualname__ = f"cast_{dtype.removeprefix('float8_')}"
    return adapter("torch", calls, "cast", contracts)(cast)


cast_e4m3fn = _cast(
    "float8_e4m3fn", "torch:float8_e4m3fn", "torch.e4m3fn_sat@2.13 torch.e4m3fn@2.11 torch.e4m3fn_f16_cuda@2.11"
)
cast_e5m2 = _cast("float8_e5m2", "torch:float8_e5m2", "torch.e5m2@2.11 torch.e5m2_f16_cuda@2.11 cuda.e5m2_sat")
cast_e8m0fnu = _cast(
    "float8_e8m0fnu", "torch:float8_e8m0fnu", "torch.e8m0@2.11 cuda.e8m0_rp_sat cuda.e8m0_rz_sat deepgemm.e8m0_ceil"
)


def _halves(x):
    return x[:, : x.shape[1] // 2], x[:, x.shape[1] // 2 :]


@adapter("torch", "torch.nn.functional:silu", "act_and_mul", "torch.silu_mul vllm.silu_and_mul")
def silu_mul(x):
    import torch.nn.functional as F

    gate, up = _halves(x)
    return F.silu(gate) * up


@adapter("torch", "torch.nn.functional:gelu", "act_and_mul", "vllm.gelu_and_mul")
def gelu_mul(x):
    import torch.nn.functional as F

    gate, up = _halves(x)
    return F.gelu(gate) * up


@adapter("torch", "torch.nn.functional:gelu", "act_and_mul", "vllm.gelu_tanh_and_mul liger.geglu")
def gelu_tanh_mul(x):
    import torch.nn.functional as F

    gate, up = _halves(x)
    return F.gelu(gate, approximate="tanh") * up


@adapter(
    "torch", "torch.nn.functional:rms_norm aten::_fused_rms_norm", "rms_norm", "vllm.rms_norm@2026-06-18 vllm.rms_norm@v0.19.1"
)
def rms_norm(x, gamma, eps):
    import torch.nn.functional as F

    return F.rms_norm(x, (x.shape[1],), gamma, eps)


@adapter("torch", "torch.nn.functional:layer_norm", "layer_norm", "flashinfer.layer_norm trtllm.layer_norm")
def layer_norm(x, gamma, beta, eps):
    import torch.nn.functional as F

    if gamma.dtype != x.dtype:
        raise NotImplementedError("torch requires weights with the dtype of x")
    return F.layer_norm(x, (x.shape[1],), gamma, beta, eps)


def _scaled_mm(name, contracts, fast):
    def scaled_mm(a, b, scale_a, scale_b, d, bias=None):
        import torch

        if b.shape[0] % 16 or a.shape[1] % 16:
            raise NotImplementedError("torch._scaled_mm requires that n and k are multiples of 16")
        by_row = scale_a.numel() > 1 or scale_b.numel() > 1
        scales = (scale_a.reshape(-1, 1), scale_b.reshape(1, -1)) if by_row else (scale_a.reshape(()), scale_b.reshape(()))
        d.copy_(
            torch._scaled_mm(a.contiguous(), b.contiguous().t(), *scales, bias=bias, out_dtype=d.dtype, use_fast_accum=fast)
        )

    scaled_mm.__name__ = scaled_mm.__qualname__ = name
    return adapter("torch", "aten::_scaled_mm", "gemm_scaled", contracts, "sm_90")(scaled_mm)


scaled_mm_tensor_fast = _scaled_mm("scaled_mm_tensor_fast", "torch.scaled_mm_tensor_fast.sm_90", True)
scaled_mm_tensor = _scaled_mm("scaled_mm_tensor", "torch.scaled_mm_tensor.sm_90", False)
scaled_mm_row_fast = _scaled_mm("scaled_mm_row_fast", "torch.scaled_mm_row_fast.sm_90", True)
scaled_mm_row = _scaled_mm("scaled_mm_row", "torch.scaled_mm_row.sm_90", False)


# torchao: the MX formats of the OCP standard, and the functions that torchao's float8 quantization of Linear layers calls

_TO_MX = "torchao.prototype.mx_formats.mx_tensor:to_mx"


def _to_mx(mode):
    def to_mx(x, layout_is_tiled):
        import torch

        modes = function("torchao.prototype.mx_formats.mx_tensor:ScaleCalculationMode")
        if x.dtype not in (torch.bfloat16, torch.float32):
            raise NotImplementedError(f"to_mx does not support dtype {x.dtype}")
        scale, q = function(_TO_MX)(x.contiguous(), torch.float8_e4m3fn, 32, getattr(modes, mode.upper()))
        if layout_is_tiled:
            tiled = function("torchao.prototype.mx_formats.utils:to_blocked")(scale.view(torch.uint8))
            scale = tiled.reshape(-1).view(torch.float8_e8m0fnu)
        return q, scale

    def called(x, scale_tile_rows=0):
        q, scale = to_mx(x, bool(scale_tile_rows))
        return {"q": q, "scale": scale.reshape(-1, 4 * -(-(x.shape[1] // 32) // 4)) if scale_tile_rows else scale}

    called.__name__ = called.__qualname__ = f"to_mx_{mode}"
    contracts = f"torchao.mx_{mode}@v0.12.0 torchao.mx_{mode}"
    return adapter("torchao", _TO_MX, "quant_group", ("torchao.mx_rceil@v0.18.0 " if mode == "rceil" else "") + contracts)(
        called
    )


to_mx_floor, to_mx_rceil, to_mx_ceil, to_mx_even = map(_to_mx, ("floor", "rceil", "ceil", "even"))
_PRIMITIVES = "torchao.quantization.quant_primitives:"
_FLOAT8 = f"{_PRIMITIVES}_choose_scale_float8 {_PRIMITIVES}_quantize_affine_float8"


def _float8(x, rows, columns):
    if x.shape[0] % rows or x.shape[1] % columns:
        raise NotImplementedError("the shape must be a multiple of the block shape")
    x = x.contiguous()
    scale = function(_PRIMITIVES + "_choose_scale_float8")(x, [rows, columns])
    return function(_PRIMITIVES + "_quantize_affine_float8")(x, scale), scale


_PER_ROW = "torchao.float8_per_row vllm.per_token_native vllm.per_token_native_gpu"


@adapter("torchao", _FLOAT8, "quant_group", _PER_ROW, accepts={"layout": ["row"]})
def float8_per_row(x):
    return _float8(x, 1, x.shape[1])


@adapter("torchao", _FLOAT8, "quant_group", "deepgemm.per_token_cast deepgemm.per_token_cast_gpu", accepts={"layout": ["row"]})
def float8_per_group(x, group_size):
    return _float8(x, 1, group_size)


@adapter("torchao", _FLOAT8, "quant_tile", "vllm.per_tensor_native vllm.per_tensor_native_gpu", accepts={"layout": ["row"]})
def float8_per_tensor(x):
    return _float8(x, *x.shape)


@adapter("torchao", _PRIMITIVES + "_quantize_affine_float8", "quant_static", "vllm.static_native vllm.static")
def float8_static(x, scale, q):
    if q.shape != x.shape or scale.numel() != 1:
        raise NotImplementedError("the op supports only a single scale, and a q with the shape of x")
    q.copy_(function(_PRIMITIVES + "_quantize_affine_float8")(x.contiguous(), scale.reshape(1, 1)))


# Liger is written in Triton, so it needs a GPU


@adapter("liger-kernel", "liger_kernel.ops.rms_norm:rms_norm_forward", "rms_norm", "liger.rms_norm", "cuda")
def liger_rms_norm(x, gamma, eps):
    return function("liger_kernel.ops.rms_norm:rms_norm_forward")(x.contiguous(), gamma, eps, 0.0, "llama", None)[0]


@adapter("liger-kernel", "liger_kernel.ops.rms_norm:rms_norm_forward", "rms_norm", "liger.gemma_rms_norm", "cuda")
def liger_gemma_rms_norm(x, gamma, eps):
    return function("liger_kernel.ops.rms_norm:rms_norm_forward")(x.contiguous(), gamma, eps, 1.0, "gemma", None)[0]


_LIGER_ADD = "liger_kernel.ops.fused_add_rms_norm:fused_add_rms_norm_forward"


@adapter("liger-kernel", _LIGER_ADD, "fused_add_rms_norm", "liger.fused_add_rms_norm", "cuda")
def liger_fused_add_rms_norm(x, residual, gamma, y, eps):
    normalized, added, *_ = function(_LIGER_ADD)(x.contiguous(), residual.contiguous(), gamma, eps, 0.0, "llama")
    y.copy_(normalized)
    residual.copy_(added)


@adapter("liger-kernel", "liger_kernel.ops.swiglu:swiglu_forward", "act_and_mul", "liger.swiglu", "cuda")
def liger_swiglu(x):
    return function("liger_kernel.ops.swiglu:swiglu_forward")(*(half.contiguous() for half in _halves(x)))[2]


@adapter("liger-kernel", "liger_kernel.ops.geglu:geglu_forward", "act_and_mul", "liger.geglu", "cuda")
def liger_geglu(x):
    return function("liger_kernel.ops.geglu:geglu_forward")(*(half.contiguous() for half in _halves(x)))[2]


# The package triton_kernels of the Triton repository

_MXFP = "triton_kernels.numerics_details.mxfp:downcast_to_mxfp"
_MX_CANDIDATES = "torchao.mx_rceil torchao.mx_ceil vllm.mxfp8_triton@v0.30.0 aiter.triton_mxfp8"


@adapter("triton-kernels", _MXFP, "quant_group", _MX_CANDIDATES, "cuda", accepts={"layout": ["e8m0_row"]})
def downcast_to_mxfp(x):
    import torch

    q, scale = function(_MXFP)(x.contiguous(), torch.float8_e4m3fn, axis=-1)
    return q, scale
