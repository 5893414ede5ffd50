"""ci/wheel runs it with an installed wheel: import, five lines to a named cause, a kernel on the suite, the program."""

import os
import subprocess
import sys
import time

begun = time.perf_counter()
import assay

seconds = time.perf_counter() - begun
assert seconds < 0.3, f"import assay takes {seconds:.2f} s"
assert "site-packages" in assay.__file__, assay.__file__

import ml_dtypes
import numpy as np


def group_quant(x, group_size, reciprocal=False):
    groups = x.astype(np.float32).reshape(-1, group_size)
    scale = np.maximum(np.nanmax(np.abs(groups), axis=1, initial=0), np.float32(1e-10)) / np.float32(448)
    with np.errstate(invalid="ignore"):
        quotient = groups * (np.float32(1) / scale)[:, None] if reciprocal else groups / scale[:, None]
    codes = np.fmin(np.fmax(quotient, np.float32(-448)), np.float32(448)).astype(ml_dtypes.float8_e4m3fn)
    return codes.reshape(x.shape), scale.reshape(x.shape[0], x.shape[1] // group_size)


@assay.kernel(op="quant_group", contracts="vllm.group_fp8", accepts={"layout": ["row"]})
def right(x, group_size):
    return group_quant(x, group_size)


@assay.kernel(op="quant_group", contracts="vllm.group_fp8", accepts={"layout": ["row"]})
def wrong(x, group_size):
    return group_quant(x, group_size, reciprocal=True)


if __name__ == "__main__":
    x = np.random.default_rng(1).standard_normal((64, 1024), dtype=np.float32).astype(ml_dtypes.bfloat16)
    q, scale = group_quant(x, 128)
    assay.check("vllm.group_fp8", x=x, q=q, scale=scale)
    q, scale = group_quant(x, 128, reciprocal=True)
    result = assay.judge("vllm.group_fp8", x=x, q=q, scale=scale)
    assert result.outcome == "fail" and "div(s) -> mul(1/s)" in result.causes[0], result

    assert assay.run(right), assay.run(right)
    run = assay.run(wrong)
    assert not run and "code: div(s) -> mul(1/s)" in run.causes, run
    program = os.path.join(os.path.dirname(sys.executable), "assay")
    assert subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip() == assay.__version__
    print(f"import {seconds:.3f} s; {repr(run).splitlines()[0]}")
