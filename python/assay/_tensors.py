"""Describes arrays of any framework by pointer, dtype, shape and strides in host memory."""

import ctypes
import sys

# Name of an element type in frameworks -> (assay_check_tensor.dtype, bytes per element).
_DTYPES = {
    "float32": ("f32", 4),
    "bfloat16": ("bf16", 2),
    "float16": ("f16", 2),
    "float8_e4m3fn": ("e4m3fn", 1),
    "float8_e4m3fnuz": ("e4m3fnuz", 1),
    "float8_e5m2": ("e5m2", 1),
    "float8_e5m2fnuz": ("e5m2fnuz", 1),
    "float8_e8m0fnu": ("e8m0", 1),
    "int8": ("int8", 1),
    "int32": ("int32", 4),
    "int64": ("int64", 8),
    "uint8": ("uint8", 1),
    "uint32": ("uint32", 4),
    "float4_e2m1fn_x2": ("uint8", 1),  # torch: a byte holds two, and shapes count bytes
}
_WIDTHS = dict(_DTYPES.values()) | {"e2m1x2": 1}
_ALIASES = {name: dtype for name, (dtype, _) in _DTYPES.items() if name != "float4_e2m1fn_x2"} | {"float4_e2m1fn_x2": "e2m1x2"}
# DLDataType: code and bits
_DLPACK = {
    (0, 8): "int8",
    (0, 32): "int32",
    (0, 64): "int64",
    (1, 8): "uint8",
    (1, 32): "uint32",
    (2, 16): "float16",
    (2, 32): "float32",
    (4, 16): "bfloat16",
    (10, 8): "float8_e4m3fn",
    (11, 8): "float8_e4m3fnuz",
    (12, 8): "float8_e5m2",
    (13, 8): "float8_e5m2fnuz",
    (14, 8): "float8_e8m0fnu",
}
_CPU, _CUDA, _CUDA_HOST, _CUDA_MANAGED = 1, 2, 3, 13


class Described:
    """A tensor for the C API. `keep` owns the memory."""

    __slots__ = ("role", "dtype", "shape", "strides", "data", "bytes", "keep")

    def __init__(self, role, dtype, shape, strides, data, bytes, keep):
        self.role, self.dtype, self.shape, self.strides, self.data, self.bytes, self.keep = (
            role,
            dtype,
            shape,
            strides,
            data,
            bytes,
            keep,
        )


class View:
    """An array whose codes have another type than its dtype; made by assay.view()."""

    def __init__(self, array, dtype):
        known = sorted(_WIDTHS)
        self.array, self.dtype = array, _ALIASES.get(dtype, dtype)
        if self.dtype not in _WIDTHS:
            raise ValueError(f"assay.view: dtype {dtype!r}: expected one of {', '.join(known)}")


def view(array, dtype):
    """Names the format of the codes in an array, without a copy. assay.view(q, "e4m3fn"): q is uint8 and holds e4m3fn codes.
    assay.view(w, "e2m1x2"): each byte of w holds two codes."""
    return View(array, dtype)


def is_array(value):
    """Returns whether an argument is a tensor and not a parameter."""
    return isinstance(value, View) or any(
        hasattr(value, name) for name in ("__dlpack__", "__array_interface__", "__cuda_array_interface__")
    )


def describe(role, array):
    """Returns the Described form of any array. Raises ValueError, which names the tensor, its dtype and the expected dtypes, if no contract has the dtype."""
    if isinstance(array, View):
        return _renamed(_as_it_is(role, array.array), array.dtype)
    tensor = _as_it_is(role, array)
    if isinstance(tensor, _Raw):
        _known(role, tensor.dtype)
    return tensor


def _as_it_is(role, array):
    """Returns the Described form with the framework's own dtype, even if no contract has that dtype."""
    module = type(array).__module__.partition(".")[0]
    if module == "torch":
        return _of_torch(role, array)
    if module in ("jax", "jaxlib"):
        import numpy

        return _of_interface(role, numpy.asarray(array))
    if hasattr(array, "__array_interface__"):
        return _of_interface(role, array)
    if hasattr(array, "__dlpack__"):
        return _of_dlpack(role, array)
    raise ValueError(f"tensor {role!r}: is a {type(array).__name__}; expected an array with __dlpack__ or __array_interface__")


def _known(role, name):
    if name in _DTYPES:
        return _DTYPES[name]
    raise ValueError(
        f"tensor {role!r}: has dtype {name}; expected one of {', '.join(sorted(_DTYPES))}; "
        f'assay.view(array, "bf16") names the type of uint16 codes'
    )


def _renamed(tensor, dtype):
    """Returns the same bytes as elements of another type of the same width."""
    width = _WIDTHS.get(tensor.dtype) or tensor.keep_width
    if _WIDTHS[dtype] != width:
        raise ValueError(
            f"tensor {tensor.role!r}: has elements of {width} bytes; assay.view(..., {dtype!r}) expects elements of {_WIDTHS[dtype]}"
        )
    tensor.dtype = dtype
    if dtype == "e2m1x2":
        if not tensor.shape or tensor.strides[-1] != 1:
            raise ValueError(
                f"tensor {tensor.role!r}: has strides {list(tensor.strides)}; "
                "packed codes must have stride 1 in the last dimension"
            )
        tensor.shape = (*tensor.shape[:-1], 2 * tensor.shape[-1])
        tensor.strides = (*(2 * s for s in tensor.strides[:-1]), 1)
    return tensor


class _Raw(Described):
    """A tensor whose dtype (uint16 or int16) the C API does not have; assay.view() must name the type of its codes."""

    __slots__ = ("keep_width",)


def _described(role, name, width, shape, strides, data, readable, keep):
    """Returns the Described form of memory. name: the dtype in the framework. strides: in elements."""
    if name in ("uint16", "int16"):
        raw = _Raw(role, name, tuple(shape), tuple(strides), data, readable, keep)
        raw.keep_width = width
        return raw
    dtype, _ = _known(role, name)
    return Described(role, dtype, tuple(shape), tuple(strides), data, readable, keep)


def _of_interface(role, array):
    """Describes a numpy array, or another array with __array_interface__. Counts the memory of the owning array as readable."""
    interface = array.__array_interface__
    dtype = getattr(array, "dtype", None)
    name = getattr(dtype, "name", None) or {
        "|u1": "uint8",
        "|i1": "int8",
        "<f4": "float32",
        "<f2": "float16",
        "<i4": "int32",
        "<i8": "int64",
        "<u4": "uint32",
        "<u2": "uint16",
    }.get(interface["typestr"], interface["typestr"])
    width = getattr(dtype, "itemsize", None) or int(interface["typestr"][2:])
    if interface["typestr"].startswith(">"):
        raise ValueError(f"tensor {role!r}: is big-endian ({interface['typestr']}); expected little-endian")
    if name == "float4_e2m1fn":
        raise ValueError(
            f'tensor {role!r}: has dtype {name}, a code in each byte; expected two in a byte: assay.view(packed, "e2m1x2")'
        )
    shape, data = interface["shape"], interface["data"][0]
    strides = interface.get("strides")
    if strides is None:
        strides, step = [], width
        for extent in reversed(shape):
            strides.insert(0, step)
            step *= max(1, extent)
    if any(stride % width for stride in strides):
        raise ValueError(
            f"tensor {role!r}: has strides of {list(strides)} bytes; expected multiples of its {width} byte elements"
        )
    return _described(role, name, width, shape, [s // width for s in strides], data, _readable(array, data), array)


def _readable(array, data):
    """Returns the number of bytes from `data` to the end of the numpy array that owns the memory; 0 if the end is unknown."""
    owner = array
    while getattr(owner, "base", None) is not None and hasattr(owner.base, "__array_interface__"):
        owner = owner.base
    if getattr(owner, "base", None) is not None or not hasattr(owner, "nbytes"):
        return 0
    return max(0, owner.__array_interface__["data"][0] + owner.nbytes - data)


def _of_torch(role, tensor):
    torch = sys.modules["torch"]
    name = str(tensor.dtype).removeprefix("torch.")
    if tensor.layout != torch.strided or tensor.is_quantized:
        raise ValueError(f"tensor {role!r}: has layout {tensor.layout}; expected torch.strided")
    if tensor.device.type not in ("cpu", "cuda", "mps", "xpu", "hpu", "xla"):
        raise ValueError(f"tensor {role!r}: is on device {tensor.device}; expected one with data, such as cpu or cuda")
    tensor = tensor.detach()
    if tensor.is_conj() or tensor.is_neg():
        tensor = tensor.resolve_conj().resolve_neg()
    width, offset = tensor.element_size(), tensor.storage_offset()
    storage = tensor.untyped_storage()
    shape, strides = tuple(tensor.shape), tuple(tensor.stride())
    if tensor.device.type != "cpu":
        # The whole storage is passed, so that padding of scales is known, unless the tensor is a small part of it.
        if storage.nbytes() <= 4 * tensor.numel() * width + 65536:
            storage = storage.cpu()
        else:
            tensor, offset = tensor.contiguous().cpu(), 0
            storage, strides = tensor.untyped_storage(), tuple(tensor.stride())
    data = storage.data_ptr() + offset * width
    return _described(role, name, width, shape, strides, data, max(0, storage.nbytes() - offset * width), (tensor, storage))


class _DLDevice(ctypes.Structure):
    _fields_ = [("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32)]


class _DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device", _DLDevice),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


def _of_dlpack(role, array):
    """Describes a CuPy array, or another array with DLPack. The capsule keeps the memory alive."""
    capsule = array.__dlpack__()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    dl = _DLTensor.from_address(pointer(capsule, b"dltensor"))  # DLManagedTensor begins with it
    if (dl.code, dl.bits) == (17, 4) and dl.lanes == 2:
        name, width = "uint8", 1
    elif dl.lanes != 1 or (dl.code, dl.bits) not in _DLPACK and dl.bits != 16:
        raise ValueError(
            f"tensor {role!r}: has DLPack type code {dl.code} of {dl.bits} bits; expected one of {', '.join(sorted(_DTYPES))}"
        )
    else:
        name, width = _DLPACK.get((dl.code, dl.bits), "uint16"), dl.bits // 8
    shape = [dl.shape[i] for i in range(dl.ndim)]
    strides, step = [], 1
    for extent in reversed(shape):
        strides.insert(0, step)
        step *= max(1, extent)
    if dl.strides:
        strides = [dl.strides[i] for i in range(dl.ndim)]
    data = (dl.data or 0) + dl.byte_offset
    if dl.device.device_type in (_CPU, _CUDA_HOST):
        return _described(role, name, width, shape, strides, data, 0, (array, capsule))
    if dl.device.device_type not in (_CUDA, _CUDA_MANAGED):
        raise ValueError(f"tensor {role!r}: is on DLPack device type {dl.device.device_type}; expected 1 (CPU) or 2 (CUDA)")
    reach = 1 + sum((extent - 1) * stride for extent, stride in zip(shape, strides)) if all(shape) else 0
    if any(stride < 0 for stride in strides):
        raise ValueError(f"tensor {role!r}: has strides {strides} on a CUDA device; expected none below 0")
    from . import _cuda

    host = ctypes.create_string_buffer(max(1, reach * width))
    _cuda.download(host, data, reach * width)
    return _described(role, name, width, shape, strides, ctypes.addressof(host), 0, host)
