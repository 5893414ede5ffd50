#!/usr/bin/env python3
"""Counts opcodes in cubins: each tensor core instruction must occur in the kernel that is named after it. To test the check itself, the
kernel is emptied in a copy, which must be reported. No available disassembler knows the newest GPUs, so an opcode is the lowest twelve
bits of an instruction. Names of opcodes come from kernels with a single instruction and, up to sm_90, from nvdisasm 12.4."""
import argparse
import collections
import csv
import fnmatch
import pathlib
import re
import struct
import sys


class Cubin:
    """The code of each instruction's kernel: name -> (offset, bytes)."""

    def __init__(self, path):
        self.data = path.read_bytes()
        table, = struct.unpack_from("<Q", self.data, 0x28)
        size, count, names = struct.unpack_from("<HHH", self.data, 0x3A)
        sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, table + i * size) for i in range(count)]
        strings = sections[names][4]
        self.kernels = {}
        for name, _, _, _, offset, length, *_ in sections:
            text = self.data[strings + name : self.data.index(b"\0", strings + name)].decode()
            unit = re.match(r"\.text\..*mma_tiles.*units(\d+)", text)
            if unit:  # a mangled name: its length, then itself
                self.kernels[text[unit.end(1) : unit.end(1) + int(unit[1])]] = (offset, length)

    def opcodes(self, unit, emptied=False):
        offset, length = self.kernels[unit]
        code = bytes(length) if emptied else self.data[offset : offset + length]
        return collections.Counter(struct.unpack_from("<Q", code, i)[0] & 0xFFF for i in range(0, length, 16))


def violation(row, architecture, unit, opcodes):
    seen, least, wanted = opcodes[int(row["opcode"], 16)], row["times"].endswith("+"), int(row["times"].rstrip("+"))
    if seen == wanted or (least and seen > wanted):
        return None
    return f"{row['name']} ({row['opcode']}) in {unit} of sm_{architecture}: expected {row['times']} occurrences, got {seen}; {row['why']}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--expectations", required=True)
    parser.add_argument("--cubins", required=True, nargs="+", help="files NAME.ARCHITECTURE.cubin")
    tools = parser.parse_args()
    with open(tools.expectations, newline="") as file:
        rows = list(csv.DictReader(file))

    wrong, checked, emptied, matched = [], 0, 0, set()
    for path in map(pathlib.Path, tools.cubins):
        architecture = path.suffixes[-2][1:]
        cubin = Cubin(path)
        chips = {"80": "Sm(80|86)"}.get(architecture, "Sm" + architecture.rstrip("a"))  # sm_86 runs the code for sm_80
        own = [unit for unit in cubin.kernels if re.match(chips + "(?=[A-Z])", unit)]
        for unit in own:
            mine = [row for row in rows if row["architecture"] == architecture and fnmatch.fnmatchcase(unit, row["unit"])]
            if not any(row["times"] != "0" for row in mine):
                wrong.append(f"instructions.csv has no row for {unit} of sm_{architecture}")
            for row in mine:
                matched.add((row["architecture"], row["unit"], row["opcode"]))
                checked += 1
                report = violation(row, architecture, unit, cubin.opcodes(unit))
                if report:
                    wrong.append(report)
                if row["times"] == "0":
                    continue
                emptied += 1
                if not violation(row, architecture, unit, cubin.opcodes(unit, emptied=True)):
                    wrong.append(f"{unit} of sm_{architecture}: instructions.csv would also accept an empty kernel")
        print(f"{path.name}: {len(own)} tensor core instructions of this architecture")
    architectures = {pathlib.Path(path).suffixes[-2][1:] for path in tools.cubins}
    for row in rows:
        if row["architecture"] in architectures and (row["architecture"], row["unit"], row["opcode"]) not in matched:
            wrong.append(f"instructions.csv: no kernel matches {row['unit']} of sm_{row['architecture']}")
    for line in wrong:
        print("FAILED:", line)
    print(f"{checked} expectations checked; {emptied} of them also with an emptied kernel, which they must reject")
    return 1 if wrong or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
