"""AITER's Python code: Triton kernels, which also compile for NVIDIA GPUs, and weight shuffling, which runs in torch on the CPU."""

import ctypes
import functools
import os
import types
import typing

import torch
import torch.nn.functional as F

from from_source import functions

TRITON = "aiter/ops/triton/"
KERNELS, HOST = TRITON + "_triton_kernels/quant/", TRITON + "quant/"
QUIET = types.SimpleNamespace(info=lambda *_: None)


def in_triton(source):
    import triton
    import triton.language as tl

    names = {"torch": torch, "triton": triton, "tl": tl, "_LOGGER": QUIET, "fp8_dtype": torch.float8_e4m3fn}
    norm_kernels = functions(f"{source}/{KERNELS}fused_fp8_quant.py", ["_rmsmorm_op", "_fp8_quant_op", "_fused_rms_fp8_group_quant_kernel"], names)
    norm = functions(f"{source}/{HOST}fused_fp8_quant.py", ["fused_rms_fp8_group_quant"], {**names, **vars(norm_kernels)})
    gated = functions(f"{source}/{HOST}fused_fp8_quant.py", ["get_fp8_min_max_bounds", "_num_compute_units", "calc_rows_per_block", "fused_rms_gated_fp8_group_quant"],
                      {**names, "cache": functools.cache, "get_fp8_e4m3_dtype": lambda: torch.float8_e4m3fn, **vars(norm_kernels)})
    mx_kernels = functions(f"{source}/{KERNELS}quant.py", ["_mxfp8_quant_op", "_dynamic_mxfp8_quant_kernel", "_dynamic_mxfp8_quant_n32k4_mbn_kernel"], names)
    mx = functions(f"{source}/{HOST}quant.py", ["_MXFP8_QUANT_BLOCK_SIZE", "dynamic_mxfp8_quant", "dynamic_mxfp8_quant_n32k4_mbn"],
                   {**names, **vars(mx_kernels)})

    def fused(call, residual=None):
        return norm.fused_rms_fp8_group_quant(call["x"], call["gamma"], call.numbers["eps"], group_size=int(call.numbers["group_size"]), res1=residual,
                                              transpose_scale=call.parameters["layout"] != "row", is_x_scale_strided=True)

    def norm_quant(call):
        (q, scale), *_ = fused(call)
        return {"q": q, "scale": scale}

    def add_norm_quant(call):
        (q, scale), _, _, residual = fused(call, call["residual"])
        return {"q": q, "scale": scale, "residual": residual}

    def twice(call):
        (q, scale), *_ = fused(call)
        (q2, scale2), *_ = fused(call)
        return {"q": q, "scale": scale, "q2": q2, "scale2": scale2}

    def gated_norm_quant(call):
        size = int(call.numbers["group_size"])
        q, scale = gated.fused_rms_gated_fp8_group_quant(call["x"], call["gamma"], None, call["gate"], call.numbers["eps"],
                                                         group_size=None if size == call["x"].shape[1] else size)
        return {"q": q, "scale": scale.reshape(len(q), -1)}

    def mxfp8(call):
        q, scale = mx.dynamic_mxfp8_quant(call["x"])
        return {"q": q, "scale": scale}

    def mxfp8_n32k4(call):
        q, scale = mx.dynamic_mxfp8_quant_n32k4_mbn(call["x"].unsqueeze(1))
        return {"q": q.squeeze(1), "scale": scale.flatten()}

    return [("aiter.fused_rms_fp8_group_quant", "cuda", norm_quant), ("aiter.fused_add_rms_fp8_group_quant", "cuda", add_norm_quant),
            ("aiter.double_quant_fused", "cuda", twice), ("aiter.fused_rms_gated_fp8_group_quant", "cuda", gated_norm_quant),
            ("aiter.fused_rms_gated_fp8_token_quant", "cuda", gated_norm_quant), ("aiter.triton_mxfp8", "cuda", mxfp8), ("aiter.triton_mxfp8_n32k4", "cuda", mxfp8_n32k4)]


class ForAnyChip:
    """Launches a kernel without waves_per_eu, an option that Triton accepts for AMD GPUs only."""

    def __init__(self, kernel):
        self.kernel = kernel

    def __getitem__(self, grid):
        return lambda *arguments, waves_per_eu=None, **others: self.kernel[grid](*arguments, **others)


class OnExecutor:
    """A kernel that Triton compiles for an AMD GPU and that libassay_hip_runtime.so executes on the CPU."""

    POINTERS = {torch.bfloat16: "*bf16", torch.float16: "*fp16", torch.float32: "*fp32", torch.uint8: "*u8", torch.float8_e4m3fn: "*fp8e4nv",
                torch.float8_e4m3fnuz: "*fp8e4b8"}
    OPTIONS = ("num_warps", "num_stages", "waves_per_eu")

    def __init__(self, kernel, architecture):
        self.library, self.architecture, self.heuristics = ctypes.CDLL(os.environ["ASSAY_HIP_RUNTIME"]), architecture, {}
        while type(kernel).__name__ == "Heuristics":
            self.heuristics |= kernel.values
            kernel = kernel.fn
        self.kernel = kernel

    def __getitem__(self, grid):
        return functools.partial(self.launch, (*grid, 1, 1)[:3])

    def call(self, name, *arguments):
        code = getattr(self.library, name)(*arguments)
        if code != 0:
            raise ValueError(f"{name}: HIP error {code}")

    def compiled(self, values, options):
        from triton import compile as compile_kernel
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource

        constants = {p.name: values[p.name] for p in self.kernel.params if p.is_constexpr or values[p.name] is None}
        kind = lambda value: self.POINTERS[value.dtype] if isinstance(value, torch.Tensor) else "fp32" if isinstance(value, float) else "i32"
        signature = {name: "constexpr" if name in constants else kind(values[name]) for name in self.kernel.arg_names}
        source = ASTSource(self.kernel, signature=signature, constexprs=constants)
        passed = [values[name] for name in self.kernel.arg_names if name not in constants]
        return compile_kernel(source, target=GPUTarget("hip", self.architecture, 64), options=options), passed

    def launch(self, grid, *arguments, **named):
        options = {name: named.pop(name) for name in self.OPTIONS if name in named}
        if 0 in grid:
            raise ValueError("expected at least one block, got an empty grid, which HIP rejects")
        values = {**dict(zip(self.kernel.arg_names, arguments)), **named}
        values |= {name: rule(values) for name, rule in self.heuristics.items()}
        compiled, passed = self.compiled(values, options)
        memory, words = [], []
        for value in passed:
            if isinstance(value, torch.Tensor):
                size, address = ctypes.c_size_t(value.untyped_storage().nbytes()), ctypes.c_void_p()
                self.call("hipMalloc", ctypes.byref(address), size)
                self.call("hipMemcpy", address, ctypes.c_void_p(value.untyped_storage().data_ptr()), size, 1)
                memory.append((value, address, size))
                words.append(ctypes.c_void_p(address.value + value.storage_offset() * value.element_size()))
            else:
                words.append(ctypes.c_float(value) if isinstance(value, float) else ctypes.c_int32(value))
        words += [ctypes.c_void_p(), ctypes.c_void_p()]  # Triton's scratch memory, which these kernels do not use
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("hipModuleLoadData", ctypes.byref(module), compiled.asm["hsaco"])
        self.call("hipModuleGetFunction", ctypes.byref(function), module, compiled.metadata.name.encode())
        pointers = (ctypes.c_void_p * len(words))(*(ctypes.addressof(word) for word in words))
        block = (64 * compiled.metadata.num_warps, 1, 1)
        self.call("hipModuleLaunchKernel", function, *grid, *block, compiled.metadata.shared, None, pointers, None)
        self.call("hipDeviceSynchronize")
        for value, address, size in memory:
            self.call("hipMemcpy", ctypes.c_void_p(value.untyped_storage().data_ptr()), address, size, 2)
            self.call("hipFree", address)


def fp4_in_triton(source):
    """With TRITON_INTERPRET=1, Triton's interpreter runs these kernels on the CPU. With ASSAY_EXECUTE=gfx950 (or gfx942) and the path of
    libassay_hip_runtime.so in ASSAY_HIP_RUNTIME, that library executes their code objects on the CPU."""
    import triton
    import triton.language as tl

    architecture = os.environ.get("ASSAY_EXECUTE", "")
    place = "cpu" if architecture or os.environ.get("TRITON_INTERPRET") == "1" else "cuda"
    kernel_of = functools.partial(OnExecutor, architecture=architecture) if architecture else ForAnyChip
    names = {"torch": torch, "triton": triton, "tl": tl, "_LOGGER": QUIET, "Literal": typing.Literal, "e4m3_dtype": torch.float8_e4m3fnuz if architecture == "gfx942" else torch.float8_e4m3fn, "get_arch": lambda: "any"}
    ops = vars(functions(f"{source}/{KERNELS}quant.py", ["_mxfp4_quant_op", "_nvfp4_quant_op", "_dynamic_mxfp4_quant_kernel", "_dynamic_nvfp4_quant_kernel"], names))
    norms = vars(functions(f"{source}/{KERNELS}fused_mxfp4_quant.py", ["_rmsmorm_op", "_fused_rms_mxfp4_quant_kernel"], {**names, **ops}))
    gates = ["_silu_exp2", "_silu", "_tanh", "_gelu", "_gelu_tanh", "_relu", "_relu6", "_apply_activation_from_str", "_act_mul_and_dynamic_mxfp4_quant_kernel"]
    acts = vars(functions(f"{source}/{TRITON}_triton_kernels/activation.py", gates, {**names, **ops}))
    known = {name: kernel_of(value) if name.endswith("_kernel") else value for all_of in (ops, norms, acts) for name, value in all_of.items()}
    quant = functions(f"{source}/{HOST}quant.py", ["dynamic_mxfp4_quant", "dynamic_nvfp4_quant"], {**names, **known})
    norm = functions(f"{source}/{HOST}fused_mxfp4_quant.py", ["fused_rms_mxfp4_quant"], {**names, **known})
    act = functions(f"{source}/{TRITON}activation.py", ["act_mul_and_mxfp4_quant"], {**names, **known})

    def outputs(q, scale, **others):
        return {"q": q, "scale": scale.view(torch.uint8).contiguous(), **others}

    def norm_quant(call):
        (q, scale), *_ = norm.fused_rms_mxfp4_quant(call["x"], call["gamma"], call.numbers["eps"])
        return outputs(q, scale)

    def add_norm_quant(call):
        (q, scale), _, _, residual = norm.fused_rms_mxfp4_quant(call["x"], call["gamma"], call.numbers["eps"], res1=call["residual"])
        return outputs(q, scale, residual=residual)

    rows = [("aiter.triton_mxfp4", lambda call: outputs(*quant.dynamic_mxfp4_quant(call["x"]))),
            ("aiter.triton_nvfp4", lambda call: outputs(*quant.dynamic_nvfp4_quant(call["x"]))),
            ("aiter.fused_rms_mxfp4_quant", norm_quant), ("aiter.fused_add_rms_mxfp4_quant", add_norm_quant),
            ("aiter.act_mul_and_mxfp4_quant", lambda call: outputs(*act.act_mul_and_mxfp4_quant(call["x"], "silu")))]
    for _, run in rows:
        run.flags = f"Triton {triton.__version__} for {architecture}" if architecture else "Triton's interpreter" if place == "cpu" else "eager"
        if architecture:
            run.on = f"{architecture} executed on the CPU by assay_gcn 1 {architecture}"
    return [(contract, place, run) for contract, run in rows]


def triton_kernels(source):
    """The MXFP4 quantization kernel of triton_kernels, without the package's host code."""
    import triton
    import triton.language as tl

    place = "cpu" if os.environ.get("TRITON_INTERPRET") == "1" else "cuda"
    file = f"{source}/python/triton_kernels/triton_kernels/numerics_details/mxfp_details/_downcast_to_mxfp.py"
    names = {"triton": triton, "tl": tl, "MXFP_BLOCK_SIZE": 32 if place == "cpu" else tl.constexpr(32)}  # the interpreter cannot divide by a constexpr
    kernel = functions(file, ["_get_max_quant_val", "_compute_quant_and_scale", "_downcast_to_mxfp"], names)._downcast_to_mxfp

    def downcast(mode):
        def run(call):
            x = call["x"].contiguous()
            q = torch.empty(x.shape[0], x.shape[1] // 2, dtype=torch.uint8, device=x.device)
            scale = torch.empty(x.shape[0], x.shape[1] // 32, dtype=torch.uint8, device=x.device)
            grid = (triton.cdiv(x.shape[0], 128), triton.cdiv(x.shape[1], 32))
            kernel[grid](q, *q.stride(), scale, *scale.stride(), x, *x.stride(), *x.shape, 128, 32, mode, num_warps=8)
            return {"q": q, "scale": scale}

        run.flags = "Triton's interpreter" if place == "cpu" else "eager"
        return run

    return [("triton_kernels.mxfp4", place, downcast(0)), ("triton_kernels.mxfp4_down", place, downcast(1))]


def on_the_host(source):
    order = functions(f"{source}/aiter/ops/shuffle.py", ["shuffle_weight"], {"torch": torch, "F": F})

    def shuffled(rows):
        return lambda call: {"y": order.shuffle_weight(call["x"], layout=(rows, 16))}

    return [("aiter.shuffle_weight_16x16", "cpu", shuffled(16)), ("aiter.shuffle_weight_32x16", "cpu", shuffled(32))]
