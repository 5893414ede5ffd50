"""Reads and writes the safetensors format (github.com/huggingface/safetensors, README "Format")."""

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


class Stored:
    """A copy of a tensor: dtype, shape and strides of its elements, and its bytes, with padding if the storage has some."""

    __slots__ = ("dtype", "shape", "strides", "plain", "content")

    def __init__(self, name, array):
        tensor = array if isinstance(array, _tensors.Described) else _tensors.describe(name, array)
        self.dtype, self.shape, self.strides = tensor.dtype, list(tensor.shape), list(tensor.strides)
        shape, strides, width = *_in_bytes(tensor.dtype, self.shape, self.strides), _tensors._WIDTHS[tensor.dtype]
        dense = [1] * len(shape)
        for d in range(len(shape) - 1, 0, -1):
            dense[d - 1] = dense[d] * max(1, shape[d])
        if any(stride < 0 for stride in strides):
            raise ValueError(f"tensor {name!r}: has strides {strides}; expected none below 0")
        reach = (1 + sum((extent - 1) * stride for extent, stride in zip(shape, strides)) if all(shape) else 0) * width
        elements = 1
        for extent in shape:
            elements *= extent
        self.plain = all(extent == 1 or a == b for extent, a, b in zip(shape, strides, dense))
        if not self.plain and reach <= tensor.bytes <= 4 * elements * width + 65536:
            reach = tensor.bytes // width * width
        self.content = ctypes.string_at(tensor.data, reach) if reach else b""

    def described(self, role):
        """Returns this tensor as a _tensors.Described, for the C API."""
        buffer = ctypes.create_string_buffer(self.content, max(1, len(self.content)))
        data = ctypes.addressof(buffer)
        return _tensors.Described(role, self.dtype, tuple(self.shape), tuple(self.strides), data, len(self.content), buffer)


def _in_bytes(dtype, shape, strides):
    """Returns shape and strides in bytes for packed codes, of which two share a byte; for other dtypes, shape and strides as they are."""
    if dtype != "e2m1x2":
        return list(shape), list(strides)
    return [*shape[:-1], shape[-1] // 2], [*(s // 2 for s in strides[:-1]), strides[-1]]


def write(path, arrays):
    """Writes one file with these arrays. A tensor with strides or padding is stored as flat storage, and its shape and strides in
    the metadata NAME.shape and NAME.strides."""
    header, metadata, data = {}, {}, bytearray()
    for name, array in arrays.items():
        stored = array if isinstance(array, Stored) else Stored(name, array)
        shape, strides = _in_bytes(stored.dtype, stored.shape, stored.strides)
        reach = len(stored.content)
        header[name] = {
            "dtype": _NAMES[stored.dtype],
            "shape": shape if stored.plain else [reach // _tensors._WIDTHS[stored.dtype]],
            "data_offsets": [len(data), len(data) + reach],
        }
        if not stored.plain:
            metadata[f"{name}.shape"], metadata[f"{name}.strides"] = str(shape), str(strides)
        data += stored.content
    if metadata:
        header["__metadata__"] = metadata
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read(path, tensors):
    """Reads a file that write() wrote, as a dict of Stored by name. `tensors` has dtype, shape and strides of each. ValueError if
    it is another file."""
    with open(path, "rb") as file:
        content = file.read()
    try:
        (length,) = struct.unpack_from("<Q", content)
        header, start, found = json.loads(content[8 : 8 + length]), 8 + length, {}
        for name, said in tensors.items():
            stored = found[name] = Stored.__new__(Stored)
            stored.dtype, stored.shape, stored.strides = said["dtype"], list(said["shape"]), list(said["strides"])
            begin, end = header[name]["data_offsets"]
            shape, strides = _in_bytes(stored.dtype, stored.shape, stored.strides)
            reach = 1 + sum((extent - 1) * stride for extent, stride in zip(shape, strides)) if all(shape) else 0
            if not 0 <= begin <= end <= len(content) - start or min(strides, default=0) < 0 or min(shape, default=0) < 0:
                raise ValueError(
                    f"tensor {name!r}: bytes {begin} to {end} of {len(content) - start}, shape {stored.shape} or strides "
                    f"{stored.strides} are invalid"
                )
            if reach * _tensors._WIDTHS[stored.dtype] > end - begin:
                raise ValueError(f"tensor {name!r} has {end - begin} bytes; its shape {stored.shape} needs more")
            stored.plain = name + ".shape" not in header.get("__metadata__", {})
            stored.content = content[start + begin : start + end]
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: expected a file that assay.capture wrote ({type(error).__name__}: {error})") from None
    return found
