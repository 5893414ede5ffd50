#!/usr/bin/env python3
"""An AMDGPU code object (or any little-endian ELF64 file): lists its functions, or makes a copy with one function emptied.

As a program it puts code objects of several architectures into one fat binary, in the format of clang-offload-bundler, which
Debian does not ship. usage: code_object.py OUTPUT gfx942=FILE gfx950=FILE ..."""
import pathlib
import struct
import subprocess
import sys

S_ENDPGM = struct.pack("<I", 0xBF810000)
STT_FUNC = 2


def short_name(demangled):
    """'void assay_kernels::rms_norm<assay_kernels::Rules, simt::F16, 64, 1>(...)' -> 'rms_norm<Rules, F16, 64, 1>'"""
    name = demangled.removeprefix("void ").replace("assay_kernels::", "").replace("simt::", "").replace("units::", "")
    return name[: name.rindex(">(") + 1] if ">(" in name else name


def template_of(short):
    """'rms_norm<Rules, F16, 64, 1>' -> 'rms_norm'"""
    return short.split("<")[0]


class CodeObject:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.data = self.path.read_bytes()
        self.sections = self._sections()

    def _sections(self):
        offset, = struct.unpack_from("<Q", self.data, 0x28)
        size, count = struct.unpack_from("<HH", self.data, 0x3A)
        names = ("name", "type", "flags", "address", "offset", "size", "link", "info", "align", "entry")
        return [dict(zip(names, struct.unpack_from("<IIQQQQIIQQ", self.data, offset + i * size))) for i in range(count)]

    def functions(self, table=".dynsym"):
        """mangled name -> (offset in the file, size in bytes)"""
        kind = {".symtab": 2, ".dynsym": 11}[table]
        found = {}
        for section in (s for s in self.sections if s["type"] == kind):
            strings = self.sections[section["link"]]["offset"]
            for at in range(section["offset"], section["offset"] + section["size"], 24):
                name, info, _, where, value, size = struct.unpack_from("<IBBHQQ", self.data, at)
                if info & 15 != STT_FUNC or not 0 < where < len(self.sections):
                    continue
                start = strings + name
                home = self.sections[where]
                text = self.data[start : self.data.index(b"\0", start)].decode()
                found[text] = (value - home["address"] + home["offset"], size)
        return found

    def emptied(self, mangled, path):
        """Writes a copy of the file in which the kernel returns immediately."""
        offset, size = self.functions()[mangled]
        copy = bytearray(self.data)
        copy[offset : offset + size] = S_ENDPGM * (size // 4)
        pathlib.Path(path).write_bytes(copy)
        return CodeObject(path)


def demangle(cxxfilt, mangled):
    names = list(mangled)
    output = subprocess.run([cxxfilt], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return dict(zip(names, output.splitlines()))


def bundle(objects):
    """Bundles (target, bytes) pairs: magic, count, then offset, size and target of each, then the code objects at multiples of 4096."""
    entries = [("host-x86_64-unknown-linux--", b"")] + objects
    header = 32 + sum(24 + len(target) for target, _ in entries)
    table, body, at = b"", b"", -(-header // 4096) * 4096
    start = at
    for target, data in entries:
        table += struct.pack("<QQQ", at, len(data), len(target)) + target.encode()
        padded = data + b"\0" * (-len(data) % 4096)
        body += padded
        at += len(padded)
    return (b"__CLANG_OFFLOAD_BUNDLE__" + struct.pack("<Q", len(entries)) + table).ljust(start, b"\0") + body


def main():
    output, *pairs = sys.argv[1:]
    objects = []
    for pair in pairs:
        architecture, path = pair.split("=", 1)
        objects.append(("hipv4-amdgcn-amd-amdhsa--" + architecture, pathlib.Path(path).read_bytes()))
    pathlib.Path(output).write_bytes(bundle(objects))


if __name__ == "__main__":
    main()
