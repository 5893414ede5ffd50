"""Spoils a witness. usage: witness_edit.py FROM TO flip [ROLE [CALL]] | weaken | rename CONTRACT"""

import json
import pathlib
import struct
import sys


def main():
    source, target, what = sys.argv[1:4]
    text = bytearray(pathlib.Path(source).read_bytes())
    length = struct.unpack("<Q", text[:8])[0]
    header, data = json.loads(text[8 : 8 + length]), text[8 + length :]
    about = json.loads(header["__metadata__"]["assay.witness"])
    if what == "flip":  # the next code, in the first element of an output
        role = sys.argv[4] if len(sys.argv) > 4 else "q"
        call = sys.argv[5] if len(sys.argv) > 5 else "0"
        data[header[f"c{call}.{role}"]["data_offsets"][0]] ^= 1
    elif what == "weaken":
        about["calls"] = about["calls"][:1]
    elif what == "rename":
        about["contract"] = sys.argv[4]
        for call in about["calls"]:
            call["parameters"]["contract"] = sys.argv[4]
    header["__metadata__"]["assay.witness"] = json.dumps(about)
    written = json.dumps(header).encode()
    pathlib.Path(target).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(target).write_bytes(struct.pack("<Q", len(written)) + written + data)


main()
