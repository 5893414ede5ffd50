"""Writes the safetensors format (github.com/huggingface/safetensors, README "Format")."""

import ctypes
import json
import struct

from . import _tensors

_NAMES = {
    "f32": "F32",
    "bf16": "BF16",
    "f16": "F16",
    "e4m3fn": "F8_E4M3",
    "e5m2": "F8_E5M2",
    "e8m0": "F8_E8M0",
    "int8": "I8",
    "uint8": "U8",
    "int32": "I32",
    "uint32": "U32",
    "int64": "I64",
    "e4m3fnuz": "U8",
    "e5m2fnuz": "U8",
    "e2m1x2": "U8",
}


def write(path, arrays):
    """One file with these arrays. Strides and padding are kept as metadata NAME.shape and NAME.strides of the storage."""
    header, metadata, data = {}, {}, bytearray()
    for name, array in arrays.items():
        tensor = _tensors.describe(name, array)
        shape, strides = list(tensor.shape), list(tensor.strides)
        if tensor.dtype == "e2m1x2":
            shape[-1], strides[:-1] = shape[-1] // 2, [s // 2 for s in strides[:-1]]
        width = _tensors._WIDTHS[tensor.dtype]
        dense = [1] * len(shape)
        for d in range(len(shape) - 1, 0, -1):
            dense[d - 1] = dense[d] * max(1, shape[d])
        if any(stride < 0 for stride in strides):
            raise ValueError(f"tensor {name!r}: has strides {strides}; expected none below 0")
        reach = (1 + sum((extent - 1) * stride for extent, stride in zip(shape, strides)) if all(shape) else 0) * width
        elements = 1
        for extent in shape:
            elements *= extent
        plain = all(extent == 1 or a == b for extent, a, b in zip(shape, strides, dense))
        if not plain and reach <= tensor.bytes <= 4 * elements * width + 65536:
            reach = tensor.bytes // width * width
        content = ctypes.string_at(tensor.data, reach) if reach else b""
        header[name] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": shape if plain else [reach // width],
            "data_offsets": [len(data), len(data) + reach],
        }
        if not plain:
            metadata[f"{name}.shape"], metadata[f"{name}.strides"] = str(shape), str(strides)
        data += content
    if metadata:
        header["__metadata__"] = metadata
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
