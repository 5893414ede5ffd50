"""Kernels on a GPU, in Triton, torch and CuPy: called on device memory between guard zones. Also checks torch tensors in device
memory.

    python gpu_quant.py         needs an NVIDIA GPU, torch and Triton; CuPy if installed. Exits with code 1 if a verdict
    is not as expected.

triton_wrong multiplies by the reciprocal of the scale; triton_fast divides by Triton's approximate `/`. Both pass a test with
tolerances.
"""

import importlib.util
import sys
import time

import torch
import triton
import triton.language as tl

import assay


@triton.jit
def _quant(x, q, scale, n, stride, SIZE: tl.constexpr, DIVISION: tl.constexpr):
    group = tl.program_id(0)
    row, column = group // (n // SIZE), group % (n // SIZE) * SIZE
    lanes = tl.arange(0, SIZE)
    values = tl.load(x + row * stride + column + lanes).to(tl.float32)
    amax = tl.maximum(tl.max(tl.where(values == values, tl.abs(values), 0.0), axis=0), 1e-10)
    if DIVISION == "exact":
        s = tl.div_rn(amax, 448.0)
        quotient = tl.div_rn(values, tl.zeros([SIZE], tl.float32) + s)
    elif DIVISION == "reciprocal":
        s = tl.div_rn(amax, 448.0)
        quotient = values * tl.div_rn(1.0, s)
    else:
        s = amax / 448.0
        quotient = values / s
    quotient = tl.minimum(tl.maximum(quotient, -448.0), 448.0)
    tl.store(q + row * n + column + lanes, quotient.to(tl.float8e4nv))
    tl.store(scale + group, s)


def launch(x, q, scale, group_size, division):
    m, n = x.shape
    _quant[(m * (n // group_size),)](x, q, scale, n, x.stride(0), SIZE=group_size, DIVISION=division)


OFFER = {
    "op": "quant_group",
    "contracts": "vllm.group_fp8",
    "arrays": "torch",
    "device": "cuda",
    "accepts": {"layout": ["row"], "group_size": [64, 128]},
}


@assay.kernel(**OFFER)
def triton_right(x, q, scale, group_size):
    launch(x, q, scale, group_size, "exact")


@assay.kernel(**OFFER)
def triton_wrong(x, q, scale, group_size):
    launch(x, q, scale, group_size, "reciprocal")


@assay.kernel(**OFFER)
def triton_fast(x, q, scale, group_size):
    launch(x, q, scale, group_size, "fast")


@assay.kernel(**OFFER)
def triton_writes_behind(x, q, scale, group_size):
    launch(x, q, scale, group_size, "exact")
    _behind[(1,)](scale, scale.numel())


@triton.jit
def _behind(scale, count):
    tl.store(scale + count, 1.0)


@assay.kernel(**OFFER)
def torch_right(x, group_size):
    groups = x.float().reshape(-1, group_size)
    amax = torch.nan_to_num(groups.abs(), nan=0.0, posinf=float("inf")).amax(dim=1, keepdim=True).clamp(min=1e-10)
    scale = amax / torch.tensor(448.0, device=x.device)
    quotient = torch.nan_to_num(groups / scale, nan=-448.0, posinf=448.0, neginf=-448.0).clamp(-448, 448)
    return quotient.to(torch.float8_e4m3fn).reshape(x.shape), scale.reshape(x.shape[0], x.shape[1] // group_size)


CUPY_SOURCE = r"""
extern "C" __global__ void cast(const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i];
}
// Four fp32 scales as the bytes of an int32; strides in elements.
extern "C" __global__ void pack(const unsigned* x, int* words, int m, int n, int columns, int row, int column, int to_row,
                                int to_column, unsigned keep) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x, r = i / columns, c = i % columns;
  if (r >= m) return;
  unsigned word = 0;
  for (int part = 0; part < 4 && 4 * c + part < n; ++part) {
    const unsigned bits = x[r * row + (4 * c + part) * column];
    word |= (part < 3 ? bits >> (23 - 8 * part) : bits << 1) & ((0xffu << 8 * part) | keep);
  }
  words[r * to_row + c * to_column] = word;
}
"""


def launch_pack(x, scale, keep):
    import cupy

    if x.shape[0] % 4:
        raise NotImplementedError("the kernel does not write the padding after the columns")
    strides = [stride // 4 for stride in (*x.strides, *scale.strides)]
    sizes = (x.shape[0], x.shape[1], scale.shape[1], *strides)
    arguments = (x.view(cupy.uint32), scale, *map(cupy.int32, sizes), cupy.uint32(keep))
    cupy.RawKernel(CUPY_SOURCE, "pack")(((scale.size + 127) // 128,), (128,), arguments)


@assay.kernel(op="pack_scales", contracts="deepgemm.pack_ue8m0_torch", arrays="cupy")
def cupy_pack_right(x, scale):
    launch_pack(x, scale, 0)


@assay.kernel(op="pack_scales", contracts="deepgemm.pack_ue8m0_torch", arrays="cupy")
def cupy_pack_wrong(x, scale):
    launch_pack(x, scale, 0xFFFFFFFF)


def cupy_tensors_are_judged():
    """Checks arrays with DLPack but without torch: CuPy arrays of fp32, and of uint8 codes whose dtype is named."""
    try:
        import cupy
    except ImportError:
        print("cupy: not installed")
        return True
    x = torch.randn(64, 1024, device="cuda", dtype=torch.float32)
    q, scale = torch_right(x, 128)
    y = cupy.empty((64, 1024), cupy.float32)
    cupy.RawKernel(CUPY_SOURCE, "cast")((256,), (256,), (cupy.from_dlpack(x), y, x.numel()))
    codes = assay.view(cupy.from_dlpack(q.view(torch.uint8)), "e4m3fn")
    result = assay.judge("vllm.group_fp8", x=y, q=codes, scale=cupy.from_dlpack(scale))
    print("cupy:", repr(result))
    return bool(result)


def torch_tensors_are_judged():
    x = torch.randn(4096, 7168, device="cuda", dtype=torch.bfloat16)
    q, scale = torch.empty_like(x, dtype=torch.float8_e4m3fn), torch.empty(4096, 56, device="cuda")
    verdicts = []
    for division in ("exact", "reciprocal"):
        launch(x, q, scale, 128, division)
        begun = time.perf_counter()
        result = assay.judge("vllm.group_fp8", x=x, q=q, scale=scale)
        seconds = time.perf_counter() - begun
        print(
            f"torch, {division}: {result!r}, judged in {seconds:.2f} s, {x.numel() / seconds / 1e6:.0f} million elements a second"
        )
        verdicts.append(result)
    return bool(verdicts[0]) and "code: div(s) -> mul(1/s)" in verdicts[1].causes[0]


def main():
    good = [torch_tensors_are_judged(), cupy_tensors_are_judged()]
    for kernel, cause in (
        (triton_right, None),
        (torch_right, None),
        (triton_wrong, "code: div(s) -> mul(1/s)"),
        (triton_fast, ""),
        (triton_writes_behind, ""),
        *([(cupy_pack_right, None), (cupy_pack_wrong, "word: no mask")] if importlib.util.find_spec("cupy") else []),
    ):
        run = assay.run(kernel)
        print(kernel.name, repr(run))
        expected = bool(run) if cause is None else not run and (cause == "" or max(run.causes, key=run.causes.get) == cause)
        if not expected:
            print(run.text)
        good.append(expected)
    closure = assay.kernel(lambda x, q, scale, group_size: launch(x, q, scale, group_size, "exact"), **OFFER, name="closure")
    run = assay.run(closure)
    print("closure", repr(run))
    good.append(bool(run) and run.in_process)
    print("as expected" if all(good) else f"NOT as expected: {good}")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
