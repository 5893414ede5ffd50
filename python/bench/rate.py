"""Compares the rate of assay.judge on numpy and torch tensors with the rate of the program `assay judge` on a file of them.

    python rate.py [ROWS COLUMNS [ROUNDS]]      default: 4096 7168 5; group quantization of bf16 under vllm.group_fp8

The program and the arrays take turns. Prints the median seconds of each, wall clock and CPU, and exits with code 1 if a rate
is below 0.8 of the program's by both clocks. Needs numpy and ml_dtypes; torch is measured if it is installed.
"""

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ml_dtypes
import numpy as np

import assay
from assay import _library, _safetensors

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
from five_ops import group_quant  # noqa: E402

CONTRACT = "vllm.group_fp8"


def seconds(call):
    """Returns the wall clock and CPU seconds of a call, including those of child processes."""

    def cpu():
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in used)

    wall, used = time.perf_counter(), cpu()
    call()
    return time.perf_counter() - wall, cpu() - used


def program(file):
    """Runs `assay judge` on the file. It must pass, and print the same mutation score as the library."""
    command = [_library.program(), "judge", file, "--contract", CONTRACT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "PASS" in done.stdout, done.stdout + done.stderr


def library(**tensors):
    result = assay.judge(CONTRACT, **tensors)
    assert result, result.text


def torch_tensors(tensors, device):
    import torch

    found = {}
    for name, one in tensors.items():
        raw = torch.from_numpy(one.view({1: np.uint8, 2: np.int16, 4: np.float32}[one.itemsize]))
        found[name] = raw.view({"x": torch.bfloat16, "q": torch.float8_e4m3fn}.get(name, torch.float32)).to(device)
    return found


def contenders(tensors, file):
    """Returns the functions to measure, by name."""
    found = {"program": lambda: program(file), "numpy": lambda: library(**tensors)}
    try:
        import torch
    except ImportError:
        return found
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        moved = torch_tensors(tensors, device)
        found[f"torch {torch.__version__} on {device}"] = lambda moved=moved: library(**moved)
    return found


def main(rows=4096, columns=7168, rounds=5):
    x = np.random.default_rng(1).standard_normal((rows, columns), dtype=np.float32).astype(ml_dtypes.bfloat16)
    q, scale = group_quant(x, 128, reciprocal=False)
    tensors = {"x": x, "q": q, "scale": scale}
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "tensors.safetensors")
        _safetensors.write(file, {name: _safetensors.Stored(name, one) for name, one in tensors.items()})
        calls = contenders(tensors, file)
        measured = {name: [] for name in calls}
        for one in range(rounds + 1):
            for name, call in calls.items():
                took = seconds(call)
                if one:  # not the first round, which reads tables and the file for the first time
                    measured[name].append(took)
    print(f"{rows} x {columns} bf16, {CONTRACT}; medians of {rounds} calls; {os.cpu_count()} cores, {platform.machine()}")
    medians = {name: [statistics.median(column) for column in zip(*all_)] for name, all_ in measured.items()}
    slow = []
    for name, (wall, cpu) in medians.items():
        ratios = [of_program / own for of_program, own in zip(medians["program"], (wall, cpu))]
        rate = rows * columns / wall / 1e6
        print(
            f"  {name:24} {wall:6.2f} s  {cpu:6.2f} CPU s  {rate:6.1f} million elements/s  "
            f"{ratios[0]:.2f} of the program's rate by wall clock, {ratios[1]:.2f} by CPU time"
        )
        slow += [name] if max(ratios) < 0.8 else []
    all_fast = "every function has at least 0.8 of the program's rate, by wall clock or by CPU time"
    print(f"slower than 0.8 of the program's rate: {', '.join(slow)}" if slow else all_fast)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
