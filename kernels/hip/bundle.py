#!/usr/bin/env python3
"""Puts code objects of several architectures into one fat binary, in the format of clang-offload-bundler, which Debian does not ship.
usage: bundle.py OUTPUT gfx942=FILE gfx950=FILE ..."""
import pathlib
import struct
import sys


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
