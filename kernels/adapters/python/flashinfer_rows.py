"""FlashInfer's CuTe DSL norms, which compile without a GPU, and its fp8 all-reduce in Triton.
usage: flashinfer_rows.py FLASHINFER-SOURCE-FOLDER INPUTS OUTPUT.so    compiles the kernels that these inputs need, for an H200

Compiling needs nvidia-cutlass-dsl. A machine without it loads the kernels from SOURCE-FOLDER/cute_norms.so. Both need apache-tvm-ffi."""

import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import types
import typing

import torch


ROWS = {  # contract -> kind of kernel, offset added to the weight
    "flashinfer.rms_norm@v0.6.7": ("rmsnorm", 0.0), "flashinfer.gemma_rms_norm@v0.6.7": ("rmsnorm", 1.0),
    "flashinfer.fused_add_rms_norm@v0.6.7": ("fused_add_rmsnorm", 0.0), "flashinfer.gemma_fused_add_rms_norm@v0.6.7": ("fused_add_rmsnorm", 1.0),
    "flashinfer.rmsnorm_quant@v0.6.7": ("rmsnorm_quant", 0.0), "flashinfer.fused_add_rmsnorm_quant@v0.6.7": ("fused_add_rmsnorm_quant", 0.0),
    "flashinfer.layer_norm": ("layernorm", 0.0),
}
H200 = types.SimpleNamespace(shared_memory_per_block_optin=232448, multi_processor_count=132, major=9, minor=0)


class Kernel(typing.NamedTuple):
    """The parameters that are compile-time constants of a FlashInfer kernel."""

    kind: str
    dtype: str
    gamma: str
    columns: int
    bias: float

    @property
    def name(self):
        return f"{self.kind}_{self.dtype}_{self.gamma}_{self.columns}_{'plus_1' if self.bias else 'plain'}"


def kernel_of(contract, call):
    kind, bias = ROWS[contract]
    return Kernel(kind, *(str(call[role].dtype).split(".")[1] for role in ("x", "gamma")), call["x"].shape[1], bias)


def compiled(source, kernel):
    """Calls FlashInfer's own function; its module is loaded without the rest of the package."""
    for package, path in (("flashinfer", ""), ("flashinfer.norm", "/norm"), ("flashinfer.norm.kernels", "/norm/kernels"), ("flashinfer.cute_dsl", "/cute_dsl")):
        if package not in sys.modules:
            sys.modules[package] = types.ModuleType(package)
            sys.modules[package].__path__ = [f"{source}/flashinfer{path}"]
    module = importlib.import_module(f"flashinfer.norm.kernels.{kernel.kind.removesuffix('_quant')}")
    make = getattr(module, f"_get_compiled_{kernel.kind}_kernel")
    if kernel.kind == "layernorm":
        return make(kernel.dtype, kernel.gamma, kernel.columns, False)
    if kernel.kind.endswith("_quant"):
        return make(kernel.dtype, "float8_e4m3fn", kernel.columns, kernel.bias, False, use_hw_fp8=True, sm_version=90, contiguous=True)
    return make(kernel.dtype, kernel.columns, kernel.bias, False, 90, contiguous=True)


def cute(source, _):
    library = pathlib.Path(source) / "cute_norms.so"
    if library.exists():
        import tvm_ffi

        module = tvm_ffi.load_module(str(library))
    made = {}

    def kernel(wanted):
        if wanted not in made:
            made[wanted] = module[wanted.name] if library.exists() else compiled(source, wanted)
        return made[wanted]

    def row(contract):
        kind, _ = ROWS[contract]

        def run(call):
            x, gamma, eps = call["x"].contiguous(), call["gamma"].contiguous(), float(call.numbers["eps"])
            f, m = kernel(kernel_of(contract, call)), x.shape[0]
            if kind == "rmsnorm":
                y = torch.empty_like(x)
                f(x, gamma, y, m, eps)
                return {"y": y}
            if kind == "layernorm":
                y = torch.empty_like(x)
                f(y, x, gamma, call["beta"].contiguous(), m, eps)
                return {"y": y}
            if kind == "rmsnorm_quant":
                q = torch.empty(x.shape, dtype=torch.float8_e4m3fn, device=x.device)
                f(x, gamma, q, m, call["scale"].reshape(-1), eps)
                return {"q": q}
            residual = call["residual"].contiguous()
            if kind == "fused_add_rmsnorm":
                f(x, residual, gamma, m, eps)
                return {"y": x, "residual": residual}
            q = torch.empty(x.shape, dtype=torch.float8_e4m3fn, device=x.device)
            f(q, x, residual, gamma, m, call["scale"].reshape(-1), eps)
            return {"q": q, "residual": residual}

        return contract, "cuda", run

    return [row(contract) for contract in ROWS]


# The fp8 all-reduce. Each rank of a group is a stream of this process on one GPU, so ranks can use each other's addresses.

SIGNALS = 1 << 16  # 32-bit words per rank; more than blocks x ranks


def module_of(source):
    """FlashInfer's unmodified module, loaded without the rest of the package."""
    for name, path in (("flashinfer", ""), ("flashinfer.comm", "/comm")):
        if name not in sys.modules:
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].__path__ = [f"{source}/flashinfer{path}"]
    stand_ins = {"flashinfer.api_logging": {"flashinfer_api": lambda function: function},
                 "flashinfer.utils": {"register_custom_op": lambda name, **_: lambda function: function},
                 "flashinfer.comm.torch_symmetric_memory": {"_enable_symm_mem_for_group": None}}
    for name, content in stand_ins.items():
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__dict__.update(content)
    module = importlib.import_module("flashinfer.comm.quantized_allreduce")
    module.dist = types.SimpleNamespace(get_world_size=lambda group: group.size)
    module._get_buf = lambda numel, scale_group, device, group: types.SimpleNamespace(hdl=group)
    return module


class Rank:
    """Replaces a rank's handle of torch's symmetric memory. `tables`: tensors with the addresses of all buffers and signals."""

    def __init__(self, rank, size, tables):
        self.rank, self.size = rank, size
        self.buffer_ptrs_dev, self.signal_pad_ptrs_dev = (table.data_ptr() for table in tables)


def quantized(source, _):
    module = module_of(source)

    def run(call):
        size = int(call.parameters["ranks"])
        x = [call[f"x.r{rank}"].contiguous() for rank in range(size)]
        packed = module._compute_layout(x[0].numel(), module.SCALE_GROUP_DEFAULT, size)[2]
        buffers = [torch.zeros(packed, dtype=torch.uint8, device="cuda") for _ in x]
        signals = [torch.zeros(SIGNALS, dtype=torch.int32, device="cuda") for _ in x]
        tables = [torch.tensor([part.data_ptr() for part in parts], dtype=torch.int64, device="cuda") for parts in (buffers, signals)]
        ranks = [Rank(rank, size, tables) for rank in range(size)]
        y = [torch.empty_like(one) for one in x]
        streams = [torch.cuda.Stream() for _ in x]
        torch.cuda.synchronize()
        # A launch of zero blocks compiles and loads the kernel. Loading must come first: later, it would wait for running kernels, which wait for peers.
        for blocks in (0, None):
            for rank, stream in enumerate(streams):
                with torch.cuda.stream(stream):
                    module.quantized_all_reduce(x[rank], ranks[rank], output=y[rank], max_num_blocks=blocks)
        torch.cuda.synchronize()
        return {f"y.r{rank}": one for rank, one in enumerate(y)}

    return [("flashinfer.all_reduce_fp8_twoshot", "cuda", run)]


def main():
    """Compiles the kernels that INPUTS need to object files, and links them and the DSL's static runtime into OUTPUT.so."""
    import witness_file

    source, inputs, output = sys.argv[1:]
    os.environ["CUTE_DSL_ARCH"] = "sm_90a"
    torch.cuda.current_device, torch.cuda.get_device_properties = lambda: 0, lambda *_: H200
    kernels = set()
    for contract in ROWS:
        for path in pathlib.Path(inputs).glob(f"*/{contract}.safetensors"):
            about, tensors, _ = witness_file.read(path)
            calls = [witness_file.Call(number, said, tensors, "cpu") for number, said in enumerate(about["calls"])]
            kernels |= {kernel_of(contract, call) for call in calls}
    import cutlass
    import tvm_ffi

    folder = pathlib.Path(tempfile.mkdtemp())
    for kernel in sorted(kernels):
        compiled(source, kernel).export_to_c(str(folder / f"{kernel.name}.o"), function_name=kernel.name)
    (folder / "error.c").write_text("#include <stdio.h>\nvoid CuteDSLRT_TVMFFISetRaisedCudaError(int e) { fprintf(stderr, \"CUDA error %d\\n\", e); }\n")
    runtime = next(pathlib.Path(cutlass.__file__).parents[2].glob("cu13/lib/libcuda_dialect_runtime_static.a"))
    subprocess.run(["nvcc", "-shared", "-Xcompiler", "-fPIC", "-cudart", "static", "-Xlinker", "-z,defs", "-o", output, str(folder / "error.c"), *map(str, folder.glob("*.o")), str(runtime),
                    f"-L{pathlib.Path(tvm_ffi.__file__).parent}/lib", "-ltvm_ffi", "-lcuda", f"-L{pathlib.Path(shutil.which('nvcc')).parents[1]}/lib64/stubs"], check=True)
    print(f"{output}: {len(kernels)} kernels")


if __name__ == "__main__":
    main()
