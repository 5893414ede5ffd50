"""Runs Python implementations on the inputs of witnesses. usage: run.py --inputs DIR --outputs DIR --sources DIR vllm==0.33.0 torchao aiter@e4048607

Sources lie in SOURCES/vllm-0.33.0, SOURCES/aiter-e4048607 and the like; torchao without a commit is imported. What a machine or a release
lacks is said and left out: rows of the CPU need no GPU."""

import argparse
import datetime
import pathlib
import platform
import sys
import traceback

import torch

import aiter_rows
import cpp_rows
import other_rows
import vllm_rows
import vllm_triton_rows
import witness_file

COMMITS = {"DeepGEMM": [other_rows.deepgemm_rows, cpp_rows.packer], "aiter": [aiter_rows.in_triton, aiter_rows.on_the_host],
           "torchao": [other_rows.torchao_commit_rows]}


def rows_of(package, sources):
    """(how it is called in provenance, rows: contract, device, function) in parts that fail apart; "any": bits do not depend on the device."""
    source = f"{sources}/{package.replace('==', '-').replace('@', '-')}"
    if package.startswith("vllm=="):
        release = package.split("==")[1]
        parts = [vllm_rows.native, vllm_rows.others_in_torch, vllm_triton_rows.in_fp8, vllm_triton_rows.in_int8, cpp_rows.contiguity]
        return package.replace("==", " "), [lambda part=part: part(source, release) for part in parts]
    if package == "torchao":
        import torchao

        return f"torchao {torchao.__version__}", [lambda: other_rows.torchao_rows(None)]
    name = package.split("@")[0]
    if "@" in package and name in COMMITS:
        return package.replace("@", " "), [lambda part=part: part(source) for part in COMMITS[name]]
    sys.exit(f"{package}: no Python adapter")


def place_of(device):
    if device == "cpu":
        name = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
        return f"{name}, torch {torch.__version__}"
    major, minor = torch.cuda.get_device_capability()
    return f"{torch.cuda.get_device_name()} sm_{major}{minor}, CUDA {torch.version.cuda}, torch {torch.__version__}"


def answered(path, run, device):
    about, tensors, _ = witness_file.read(path)
    kept, calls, elements = {}, [], 0
    for number, said in enumerate(about["calls"]):
        call = witness_file.Call(number, said, tensors, device)
        try:
            outputs = {role: call.stored(role, values) for role, values in run(call).items()}
        except (NotImplementedError, AssertionError, RuntimeError, TypeError) as error:
            print(f"  {said['from']}: {type(error).__name__} {str(error).splitlines()[0] if str(error) else ''}"[:200])
            continue
        now = f"c{len(calls)}."
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
    parser.add_argument("packages", nargs="+")
    arguments = parser.parse_args()
    failed = 0
    for package in arguments.packages:
        said, parts = rows_of(package, arguments.sources)
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
                    print(f"{contract}: no GPU")
                    continue
                for path in sorted(arguments.inputs.glob(f"*/{contract}.safetensors")):
                    try:
                        about, tensors, elements = answered(path, run, device)
                    except Exception:
                        failed += 1
                        print(f"{contract}:")
                        traceback.print_exc(limit=-3, file=sys.stdout)
                        continue
                    if not about["calls"]:
                        failed += 1
                        continue
                    about["origin"] = {"package": said, "kernel": getattr(run, "__qualname__", ""), "flags": "eager", "on": place_of(device),
                                       "date": datetime.date.today().isoformat()}
                    about["origin"]["kernel"] = contract.split(".")[1].split("@")[0]
                    witness_file.write(arguments.outputs / package.replace("==", "-").replace("@", "-") / path.parent.name / path.name, about, tensors)
                    print(f"{contract}: {len(about['calls'])} calls, {elements} outputs on {device}")
    return 1 if failed else 0


sys.exit(main())
