"""Witness files: reads inputs as torch tensors and writes outputs. Format: harness/witness/witness.h."""

import json
import struct

import torch

DTYPES = {
    "f32": torch.float32,
    "bf16": torch.bfloat16,
    "f16": torch.float16,
    "e4m3fn": torch.float8_e4m3fn,
    "e5m2": torch.float8_e5m2,
    "e8m0": torch.uint8,  # as bytes: torch's own e8m0 type converts values differently
    "int8": torch.int8,
    "uint8": torch.uint8,
    "int32": torch.int32,
    "int64": torch.int64,
}


class Call:
    """One recorded call. `call[role]`: a tensor on the device. `parameters`: the case's parameters. `numbers`: the parameters that the C ABI passes."""

    def __init__(self, number, about, tensors, device):
        self.number, self.about, self.numbers, self.parameters = number, about, about["numbers"], about["parameters"]
        self._bytes, self._device = tensors, device

    @torch.compiler.disable
    def __getitem__(self, role):
        """An input tensor with its shape and strides, on the device."""
        spec = self.about["tensors"][role]
        data = bytearray(self._bytes[f"c{self.number}.{role}"])  # empty in a call without rows, which torch.frombuffer rejects
        flat = (torch.frombuffer(data, dtype=torch.uint8) if data else torch.empty(0, dtype=torch.uint8)).view(DTYPES[spec["format"]])
        return torch.as_strided(flat, spec["shape"], spec["strides"], spec["offset"]).to(self._device)

    def stored(self, role, values):
        """Returns the bytes of an output's storage, and the byte ranges without a result. `values` has the logical shape, or is the whole storage,
        optionally with a mask of its unwritten elements."""
        values, untouched = values if isinstance(values, tuple) else (values, None)
        spec = self.about["tensors"][role]
        if spec["format"] == "e2m1":  # two codes in a byte; rows have no gaps
            return values.cpu().contiguous().view(torch.uint8).numpy().tobytes(), []
        dtype = DTYPES[spec["format"]]
        if values.dtype != dtype:
            values = values.view(dtype) if values.element_size() == dtype.itemsize else None
        if values is None:
            raise TypeError(f"{role}: expected elements of type {spec['format']}, got another size")
        values = values.cpu()
        if values.dim() == 1 and values.numel() == spec["storage"]:
            ranges = [] if untouched is None else ranges_of(untouched.cpu(), dtype.itemsize)
            return values.contiguous().view(torch.uint8).numpy().tobytes(), ranges
        storage = torch.zeros(spec["storage"], dtype=dtype).view(torch.uint8).view(-1, dtype.itemsize)
        at = torch.as_strided(torch.arange(spec["storage"]), spec["shape"], spec["strides"], spec["offset"])
        storage[at.reshape(-1)] = values.reshape(spec["shape"]).contiguous().view(torch.uint8).view(-1, dtype.itemsize)
        written = torch.zeros(spec["storage"], dtype=torch.bool)
        written[at.reshape(-1)] = True
        return storage.reshape(-1).numpy().tobytes(), ranges_of(~written, dtype.itemsize)


def ranges_of(unwritten, size):
    ranges = []
    for i in unwritten.nonzero().reshape(-1).tolist():
        if ranges and ranges[-1][1] == i * size:
            ranges[-1][1] += size
        else:
            ranges.append([i * size, (i + 1) * size])
    return ranges


def read(path):
    """Returns the file's metadata, its tensors as bytes, and its header."""
    with open(path, "rb") as file:
        text = file.read()
    length = struct.unpack("<Q", text[:8])[0]
    header = json.loads(text[8 : 8 + length])
    about = json.loads(header.pop("__metadata__")["assay.witness"])
    tensors = {name: text[8 + length + t["data_offsets"][0] : 8 + length + t["data_offsets"][1]] for name, t in header.items()}
    for number, call in enumerate(about["calls"]):
        groups = [(f"c{number}.before{place}.", inputs) for place, inputs in enumerate(call.get("before", []))] + [(f"c{number}.", call["tensors"])]
        for prefix, specs in groups:
            for role, spec in specs.items():
                if "as" in spec:  # shares the bytes of an earlier input
                    tensors[prefix + role] = tensors[spec.pop("as")]
    return about, tensors, header


def write(path, about, tensors):
    """`tensors`: name -> bytes. The file stores plain bytes; shapes and types are in `about`."""
    header, at = {"__metadata__": {"assay.witness": json.dumps(about)}}, 0
    for name, content in tensors.items():
        header[name] = {"dtype": "U8", "shape": [len(content)], "data_offsets": [at, at + len(content)]}
        at += len(content)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(tensors.values()))
