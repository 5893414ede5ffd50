"""Runs Python implementations on the inputs of witnesses. usage: run.py --inputs DIR --outputs DIR --sources DIR vllm==0.33.0 torchao DeepGEMM@54e22612

Sources of vLLM and DeepGEMM lie in SOURCES/vllm-0.33.0 and SOURCES/DeepGEMM-54e22612; torchao is imported. What a machine lacks is said
and left out: rows of the CPU need no GPU."""

import argparse
import datetime
import pathlib
import platform
import sys
import traceback

import torch

import other_rows
import vllm_rows
import witness_file


def rows_of(package, sources):
    """(how it is called in provenance, rows: contract, device, function) in parts that fail apart."""
    if package.startswith("vllm=="):
        source = f"{sources}/{package.replace('==', '-')}"
        return package.replace("==", " "), [lambda: vllm_rows.native(source), lambda: vllm_rows.others_in_torch(source), lambda: vllm_rows.in_triton(source)]
    if package == "torchao":
        import torchao

        return f"torchao {torchao.__version__}", [lambda: other_rows.torchao_rows(None)]
    if package.startswith("DeepGEMM@"):
        return package.replace("@", " "), [lambda: other_rows.deepgemm_rows(f"{sources}/{package.replace('@', '-')}")]
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
            except Exception:
                failed += 1
                traceback.print_exc(limit=-3, file=sys.stdout)
                continue
            for contract, device, run in rows:
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
