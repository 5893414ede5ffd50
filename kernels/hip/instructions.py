#!/usr/bin/env python3
"""Checks the code objects: every 64-lane kernel of the CPU library exists, and each row of the expectations (instructions.csv) holds. To
test the check itself, the kernel of each row is emptied in a copy, which must be reported."""
import argparse
import collections
import csv
import pathlib
import re
import subprocess
import sys
import tempfile

from code_object import CodeObject, demangle, short_name, template_of


class Objects:
    """The code objects of one architecture."""

    def __init__(self, folder, architecture, tools):
        self.architecture, self.tools = architecture, tools
        self.home = {}  # short name -> (object, mangled name)
        self.there = set()  # short names of all kernels: those in home, and those that a sample build compiled only to LLVM IR
        for path in sorted(pathlib.Path(folder, architecture).glob("*.elf")):
            code = CodeObject(path)
            for mangled, text in demangle(tools.cxxfilt, code.functions()).items():
                self.home[short_name(text)] = (code, mangled)
            listed = path.with_suffix(".kernels")
            if listed.exists():
                self.there.update(listed.read_text().splitlines())
        self.there.update(self.home)

    def opcodes(self, code, mangled):
        """How often each instruction occurs in a kernel."""
        command = [self.tools.objdump, "-d", f"--mcpu={self.architecture}", f"--disassemble-symbols={mangled}", str(code.path)]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return collections.Counter(re.findall(r"^\s+([a-z]\w+)(?=.*// [0-9A-F]+:)", text, re.M))


def violation(row, architecture, opcodes):
    """A message if a kernel violates a row of instructions.csv, else None."""
    seen = sum(n for opcode, n in opcodes.items() if re.fullmatch(row["instruction"], opcode))
    least = row["times"].endswith("+")
    wanted = int(row["times"].rstrip("+"))
    if seen == wanted or (least and seen > wanted):
        return None
    return (f"{row['instruction']} in {row['kernel']} of {architecture}: expected {row['times']} occurrences, got {seen}; {row['why']}")


def unit_of(kernel):
    """The tensor core instruction in a kernel's name, or None. It may belong to another architecture or vendor."""
    found = re.match(r"(?:mma_tiles|fused_moe_product|(?:block_|unit_|decoded_)?scaled_product)<(\w+),", kernel)
    return found and found[1]


def lanes_of(kernel):
    """The number of lanes: the first number among a kernel's own (not nested) template arguments. None if the kernel works with any number."""
    arguments, nested = kernel.partition("<")[2], 1
    while nested:
        arguments, nested = re.subn(r"<[^<>]*>", "", arguments)
    found = re.search(r"(?:^|, )(\d+)\b", arguments)
    return found and found[1]


def units_without_row(rows, objects):
    """Kernels with an MFMA instruction of this architecture that no row of instructions.csv names."""
    own = {kernel for kernel in objects.there if unit_of(kernel) and unit_of(kernel).lower().startswith(objects.architecture)}
    return own - {row["kernel"] for row in rows if row["architecture"] == objects.architecture and row["times"] != "0"}


def check(row, objects):
    code, mangled = objects.home[row["kernel"]]
    return violation(row, objects.architecture, objects.opcodes(code, mangled))


def check_emptied(row, objects, folder):
    """What check() returns for the same row if the kernel is empty."""
    code, mangled = objects.home[row["kernel"]]
    copy = code.emptied(mangled, pathlib.Path(folder, "emptied.elf"))
    return violation(row, objects.architecture, objects.opcodes(copy, mangled))


def cpu_kernels(libraries, sources, cxxfilt):
    """The instantiations of kernel templates that the CPU libraries contain, with 64 lanes or for any number of lanes."""
    text = "".join(path.read_text() for folder in sources for path in sorted(pathlib.Path(folder).rglob("*"))
                   if path.suffix in (".h", ".cpp") and not path.stem.endswith("_test"))
    templates = set(re.findall(r"(?:SIMT_(?:WIDE_)?KERNEL|WATCH_DENSE_KERNEL\(.*\))\s+void\s+(?:SIMT_BOUNDS\(.*\)\s+)?(\w+)\(", text))
    names = [name for library in libraries for name in demangle(cxxfilt, CodeObject(library).functions(".symtab")).values()]
    names = {short_name(re.sub(r" \[clone [^]]*\]", "", name)) for name in names}  # GCC makes one clone per CPU instruction set
    found = {n for n in names if template_of(n) in templates and lanes_of(n) in (None, "64")}
    return found, templates - {template_of(n) for n in found}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--objdump", required=True)
    parser.add_argument("--cxxfilt", required=True)
    parser.add_argument("--expectations", required=True)
    parser.add_argument("--objects", required=True, help="folder that has a folder of code objects for each architecture")
    parser.add_argument("--architectures", required=True, nargs="+")
    parser.add_argument("--cpu-libraries", required=True, nargs="+")
    parser.add_argument("--sources", required=True, nargs="+", help="folders of the kernels' headers")
    tools = parser.parse_args()
    with open(tools.expectations, newline="") as file:
        rows = list(csv.DictReader(file))

    wrong, checked, emptied = [], 0, 0
    offered, unseen = cpu_kernels(tools.cpu_libraries, tools.sources, tools.cxxfilt)
    wrong += [f"kernel {name}: the sources define it, but no CPU library contains it" for name in sorted(unseen)]
    for architecture in tools.architectures:
        objects = Objects(tools.objects, architecture, tools)
        there = {kernel for kernel in objects.there if not unit_of(kernel)}
        everywhere = {kernel for kernel in offered if not unit_of(kernel)}
        wrong += [f"instructions.csv has no row for {kernel} of {architecture}" for kernel in sorted(units_without_row(rows, objects))]
        missing, extra = sorted(everywhere - there), sorted(there - everywhere)
        if not everywhere or missing or extra:
            wrong.append(f"{architecture}: expected the kernels of the CPU library; missing: {missing[:3]}, additional: {extra[:3]}")
        unmade = {template_of(kernel) for kernel in objects.there} - {template_of(kernel) for kernel in objects.home}
        wrong += [f"{architecture}: no kernel of template {name} was compiled to machine code" for name in sorted(unmade)]
        for row in rows:
            if row["architecture"] not in ("*", architecture):
                continue
            if row["kernel"] not in objects.home:
                wrong.append(f"instructions.csv names kernel {row['kernel']}, but no code object of {architecture} contains it")
                continue
            report = check(row, objects)
            checked += 1
            if report:
                wrong.append(report)
            if row["times"] == "0":
                continue  # an emptied kernel contains no instruction
            with tempfile.TemporaryDirectory() as folder:
                if not check_emptied(row, objects, folder):
                    wrong.append(f"{row['kernel']} of {architecture}: instructions.csv would also accept an empty kernel: {row['instruction']} {row['times']}")
                emptied += 1
        print(f"{architecture}: {len(objects.there)} kernels, {len(objects.home)} of them compiled to machine code")
    for line in wrong:
        print("FAILED:", line)
    print(f"{checked} expectations checked; {emptied} of them also with an emptied kernel, which they must reject")
    return 1 if wrong or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
