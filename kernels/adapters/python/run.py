"""Runs Python implementations on recorded inputs and stores their outputs ("witnesses").
usage: run.py [--compiled] --inputs DIR --outputs DIR --sources DIR vllm==0.33.0 vllm==0.33.0:cutlass torch triton torchao aiter@e4048607

Sources are in SOURCES/vllm-0.33.0, SOURCES/aiter-e4048607 and so on. torch, triton, and torchao without a version are imported. Text
after a colon selects some of the functions, such as `cutlass`, which first compiles a library. --compiled runs each function through
torch.compile. Functions that this machine or release does not support are reported and skipped; CPU functions need no GPU."""

import argparse
import datetime
import importlib.metadata
import pathlib
import platform
import re
import sys
import traceback

import torch

import aiter_rows
import cpp_rows
import flashinfer_rows
import gemm_rows
import moe_rows
import other_rows
import vllm_rows
import witness_file

COMMITS = {"DeepGEMM": [other_rows.deepgemm_rows, cpp_rows.packer], "aiter": [aiter_rows.in_triton, aiter_rows.fp4_in_triton, aiter_rows.on_the_host],
           "aiter:fp4": [aiter_rows.fp4_in_triton], "triton_kernels": [aiter_rows.triton_kernels],
           "torchao": [other_rows.torchao_commit_rows], "vllm:fused_mxfp8": [vllm_rows.fused_mxfp8], "DeepGEMM:products": [gemm_rows.deepgemm]}
RELEASES = {"vllm": [moe_rows.combine, moe_rows.fused, moe_rows.cache_reads, vllm_rows.native, vllm_rows.others_in_torch, vllm_rows.norms, vllm_rows.in_fp8, vllm_rows.in_int8, vllm_rows.in_mxfp8,
                     gemm_rows.vllm_triton, cpp_rows.contiguity],
            "vllm:native": [vllm_rows.native],
            "vllm:triton": [vllm_rows.in_fp8, vllm_rows.in_int8, vllm_rows.in_mxfp8, gemm_rows.vllm_triton, vllm_rows.norms],
            "vllm:mxfp8": [vllm_rows.in_mxfp8], "vllm:combine": [moe_rows.combine], "vllm:cache_reads": [moe_rows.cache_reads], "vllm:moe": [moe_rows.fused], "sglang:moe": [moe_rows.fused_by_sglang], "vllm:torch": [vllm_rows.others_in_torch], "vllm:norms": [vllm_rows.norms],
            "vllm:cutlass": [gemm_rows.vllm_cutlass],
            "vllm:cutlass_azp": [gemm_rows.vllm_cutlass_azp],
            "vllm:silu_then_group": [other_rows.before_groups], "torchao": [other_rows.torchao_release_rows],
            "flashinfer-python:cute": [flashinfer_rows.cute], "flashinfer-python:fp8_ranks": [flashinfer_rows.quantized], "liger-kernel": [other_rows.forwards]}
TRACED = {vllm_rows.native, vllm_rows.others_in_torch, vllm_rows.norms, other_rows.torchao_rows, other_rows.torchao_fp4_rows, other_rows.torchao_float8_rows,
          other_rows.deepgemm_rows}
MOST_SHAPES = 256  # shapes per function that torch.compile compiles; beyond this limit it falls back to eager mode


def folder_of(package):
    return package.partition(":")[0].replace("==", "-").replace("@", "-").replace("flashinfer-", "flashinfer_").replace("liger-", "liger_")


def rows_of(package, sources, is_compiled):
    """Returns name and version of the package for the witness file, and functions that return rows (contract, device, function).
    Device "any": the result's bits do not depend on the device. `is_compiled`: only functions of pure torch code."""
    given, (package, _, part) = package, package.partition(":")
    source = f"{sources}/{folder_of(package)}"
    if package == "torch":
        return f"torch {torch.__version__}", [gemm_rows.torch_rows, moe_rows.torch_rows, other_rows.alone]
    if package == "triton":
        import triton

        return f"triton {triton.__version__}", [gemm_rows.triton_rows]
    if package == "torchao":
        import torchao

        return f"torchao {torchao.__version__}", [other_rows.torchao_rows, other_rows.torchao_fp4_rows, other_rows.torchao_float8_rows]
    name, mark, version = package.partition("==" if "==" in package else "@")
    known = (RELEASES if mark == "==" else COMMITS).get(name + (f":{part}" if part else ""))
    if not mark or known is None:
        sys.exit(f"{given}: this script has no adapter for this package or part; its tables RELEASES and COMMITS list all adapters")
    arguments = (source, version) if mark == "==" else (source,)
    return f"{name} {version}", [lambda made=made: made(*arguments) for made in known if made in TRACED or not is_compiled]


def place_of(device):
    if device == "cpu":
        name = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
        return f"{name}, torch {torch.__version__}"
    major, minor = torch.cuda.get_device_capability()
    return f"{torch.cuda.get_device_name()} sm_{major}{minor}, CUDA {torch.version.cuda}, torch {torch.__version__}"


def another_triton():
    """Returns ", Triton VERSION" if torch requires another version than the installed one, whose kernels may differ in their results; else ""."""
    wants = [re.match(r"triton\s*[=~]=\s*([\d.]+)", line) for line in importlib.metadata.requires("torch") or []]
    wanted = next((found[1] for found in wants if found), None)
    try:
        version = importlib.metadata.version("triton")
    except importlib.metadata.PackageNotFoundError:
        return ""
    return "" if version == wanted else f", Triton {version}"


def compiled(run):
    torch._dynamo.reset()
    torch._dynamo.config.recompile_limit = torch._dynamo.config.accumulated_recompile_limit = MOST_SHAPES
    torch._dynamo.config.fail_on_recompile_limit_hit = True
    return torch.compile(run, dynamic=False)


def answered(path, run, device):
    about, tensors, _ = witness_file.read(path)
    kept, calls, elements = {}, [], 0
    for number, said in enumerate(about["calls"]):
        call = witness_file.Call(number, said, tensors, device)
        try:
            outputs = {role: call.stored(role, values) for role, values in run(call).items()}
        except (NotImplementedError, AssertionError, RuntimeError, TypeError, ValueError, KeyError) as error:  # KeyError: the call lacks an input
            print(f"  {said['from']}: {type(error).__name__} {str(error).splitlines()[0] if str(error) else ''}"[:200])
            continue
        now = f"c{len(calls)}."
        for place, inputs in enumerate(said.get("before", [])):
            for name in (f"before{place}.{role}" for role, spec in inputs.items() if spec["access"] != "output"):
                kept[now + name] = tensors[f"c{number}.{name}"]
        for role, spec in said["tensors"].items():
            if spec["access"] != "output":
                kept[now + role] = tensors[f"c{number}.{role}"]
            if role in outputs:
                kept[now + role + ("_out" if spec["access"] == "in place" else "")] = outputs[role][0]
                elements += spec["storage"]
        calls.append({**said, "untouched": {role: ranges for role, (_, ranges) in outputs.items()}})
    return {**about, "calls": calls}, kept, elements


def main():
    parser = argparse.ArgumentParser()
    for option in ("--inputs", "--outputs", "--sources"):
        parser.add_argument(option, type=pathlib.Path, required=True)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("packages", nargs="+")
    arguments = parser.parse_args()
    flags, said_so, beside = ("torch.compile", ", compiled", "-compiled") if arguments.compiled else ("eager", "", "")
    failed = 0
    for package in arguments.packages:
        said, parts = rows_of(package, arguments.sources, arguments.compiled)
        kernels_by = "" if package == "triton" else another_triton()
        for part in parts:
            try:
                rows = part()
            except (LookupError, FileNotFoundError) as error:
                print(f"{package}: {error}")
                continue
            except Exception:
                failed += 1
                traceback.print_exc(limit=-3, file=sys.stdout)
                continue
            for contract, place, run in rows:
                device = "cuda" if place == "any" and torch.cuda.is_available() else "cpu" if place == "any" else place
                if device == "cuda" and not torch.cuda.is_available():
                    print(f"{contract}: skipped, because it needs a GPU")
                    continue
                other = kernels_by if device == "cuda" else ""
                for path in sorted(arguments.inputs.glob(f"*/{contract}.safetensors")):
                    try:
                        about, tensors, elements = answered(path, compiled(run) if arguments.compiled else run, device)
                    except Exception:
                        failed += 1
                        print(f"{contract}:")
                        traceback.print_exc(limit=-3, file=sys.stdout)
                        continue
                    if not about["calls"]:
                        failed += 1
                        continue
                    about["origin"] = {"package": said + said_so + other, "kernel": contract.split(".")[1].split("@")[0], "flags": getattr(run, "flags", flags), "on": getattr(run, "on", place_of(device)),
                                       "date": datetime.date.today().isoformat()}
                    witness_file.write(arguments.outputs / (folder_of(package) + beside + other.replace(", ", "-").replace(" ", "-")) / path.parent.name / path.name, about, tensors)
                    print(f"{contract}: {len(about['calls'])} calls, {elements} outputs on {device}")
    return 1 if failed else 0


sys.exit(main())
