"""Liger's kernels, which are Triton: activations and norms of a release, as they are called."""

import sys


def forwards(source, _):
    """Its modules, out of a source distribution."""
    sys.path.insert(0, f"{source}/src")
    from liger_kernel.ops.fused_add_rms_norm import fused_add_rms_norm_forward
    from liger_kernel.ops.geglu import geglu_forward
    from liger_kernel.ops.rms_norm import rms_norm_forward
    from liger_kernel.ops.swiglu import swiglu_forward

    def gated(forward):
        def run(call):
            x = call["x"]
            half = x.shape[1] // 2
            return {"y": forward(x[:, :half].contiguous(), x[:, half:].contiguous())[2]}

        return run

    def norm(offset, mode):
        def run(call):
            return {"y": rms_norm_forward(call["x"].contiguous(), call["gamma"], float(call.numbers["eps"]), offset, mode, None)[0]}

        return run

    def add_norm(call):
        y, residual, *_ = fused_add_rms_norm_forward(call["x"].contiguous(), call["residual"].contiguous(), call["gamma"], float(call.numbers["eps"]), 0.0, "llama")
        return {"y": y, "residual": residual}

    return [("liger.swiglu", "cuda", gated(swiglu_forward)), ("liger.geglu", "cuda", gated(geglu_forward)), ("liger.rms_norm", "cuda", norm(0.0, "llama")),
            ("liger.gemma_rms_norm", "cuda", norm(1.0, "gemma")), ("liger.fused_add_rms_norm", "cuda", add_norm)]
