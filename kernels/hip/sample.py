#!/usr/bin/env python3
"""Selects the kernels in a file of LLVM IR that a sample build compiles to machine code: all kernels that the expectations and executed cases name,
one per template, and a fraction of the rest, chosen by a hash of their names. Also writes a list of all kernels in the file."""
import argparse
import csv
import hashlib
import pathlib
import re

from code_object import demangle, short_name, template_of

KERNEL = re.compile(r"^define [^\n]*\bamdgpu_kernel void @(\w+)\(.*?^}\n", re.M | re.S)


def chosen(names, wanted, one_in):
    """Returns the kernels to keep, by mangled name. `names`: mangled name -> short name."""
    kept = {mangled for mangled, name in names.items() if name in wanted}
    seen = {template_of(names[mangled]) for mangled in kept}
    for mangled, name in sorted(names.items()):
        if template_of(name) not in seen or int(hashlib.sha256(name.encode()).hexdigest(), 16) % one_in == 0:
            kept.add(mangled)
            seen.add(template_of(name))
    return kept


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path, help="LLVM IR as text, before LLVM's first pass")
    parser.add_argument("--output", required=True, type=pathlib.Path, help="file for the LLVM IR of the chosen kernels")
    parser.add_argument("--list", required=True, type=pathlib.Path, help="file for the short names of all kernels, one per line")
    parser.add_argument("--expectations", required=True)
    parser.add_argument("--executed", required=True, help="CSV table of the executed cases and their kernels")
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--cxxfilt", required=True)
    parser.add_argument("--one-in", required=True, type=int)
    arguments = parser.parse_args()
    with open(arguments.expectations, newline="") as file:
        wanted = {row["kernel"] for row in csv.DictReader(file) if row["architecture"] in ("*", arguments.architecture)}
    with open(arguments.executed, newline="") as file:
        wanted |= {row["name"] for row in csv.DictReader(file) if row["kind"] == "kernel"}

    text = arguments.source.read_text()
    mangled = KERNEL.findall(text)
    if len(mangled) != text.count(" amdgpu_kernel void @"):
        raise SystemExit(f"{arguments.source}: expected every kernel definition to match the regular expression KERNEL of this script")
    names = {name: short_name(full) for name, full in demangle(arguments.cxxfilt, mangled).items()}
    kept = chosen(names, wanted, arguments.one_in)
    arguments.output.write_text(KERNEL.sub(lambda found: found[0] if found[1] in kept else "", text))
    arguments.list.write_text("".join(f"{name}\n" for name in names.values()))


if __name__ == "__main__":
    main()
