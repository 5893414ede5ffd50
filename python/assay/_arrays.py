"""Makes arrays of a framework from memory: for the inputs of cases, and for the buffers with which a kernel is called."""

import ctypes

# dtype of the C API (assay_check_tensor.dtype) -> name in ml_dtypes and torch. ABI_TYPES: (code, bits) of assay/abi.h -> dtype.
NAMES = {
    "f32": "float32",
    "bf16": "bfloat16",
    "f16": "float16",
    "e4m3fn": "float8_e4m3fn",
    "e4m3fnuz": "float8_e4m3fnuz",
    "e5m2": "float8_e5m2",
    "e5m2fnuz": "float8_e5m2fnuz",
    "e8m0": "float8_e8m0fnu",
    "int8": "int8",
    "int32": "int32",
    "int64": "int64",
    "uint8": "uint8",
    "e2m1x2": "uint8",
}
ABI_TYPES = {
    (0, 8): "int8",
    (0, 32): "int32",
    (0, 64): "int64",
    (1, 8): "uint8",
    (2, 32): "f32",
    (2, 16): "f16",
    (4, 16): "bf16",
    (10, 8): "e4m3fn",
    (11, 8): "e4m3fnuz",
    (12, 8): "e5m2",
    (13, 8): "e5m2fnuz",
    (14, 8): "e8m0",
}
FRAMEWORKS = ("numpy", "torch", "jax", "cupy")


def of_abi(code, bits):
    """Returns the dtype of an assay_tensor, as the C API names it."""
    return "e2m1x2" if bits == 4 else ABI_TYPES[code, bits]


def numpy_dtype(dtype):
    """Returns the numpy dtype for a dtype of the C API; uint8 for e2m1x2, which has two codes per byte."""
    import numpy

    name = NAMES[dtype]
    if hasattr(numpy, name):
        return numpy.dtype(name)
    try:
        import ml_dtypes
    except ImportError as error:
        raise ImportError(f"dtype {name} needs ml_dtypes: pip install ml_dtypes") from error
    return numpy.dtype(getattr(ml_dtypes, name))


def _bytes_of_packed(dtype, shape, strides):
    """Returns shape and strides in bytes if two codes share a byte: half the last extent, and half of all strides but the last."""
    if dtype != "e2m1x2":
        return list(shape), list(strides)
    return [*shape[:-1], shape[-1] // 2], [*(stride // 2 for stride in strides[:-1]), 1]


def numpy_array(buffer, dtype, shape, strides, offset=0, writeable=True):
    """Returns an ndarray over a ctypes buffer or bytearray; `strides` and `offset` count elements."""
    import numpy

    kind = numpy_dtype(dtype)
    shape, strides = _bytes_of_packed(dtype, shape, strides)
    start = offset // 2 if dtype == "e2m1x2" else offset * kind.itemsize
    array = numpy.ndarray(shape, kind, buffer=buffer, offset=start, strides=[s * kind.itemsize for s in strides])
    array.flags.writeable = writeable
    return array


class _CudaBytes:
    """Device memory that torch and CuPy can access without a copy."""

    def __init__(self, address, count):
        self.__cuda_array_interface__ = {"shape": (count,), "typestr": "|u1", "data": (address, False), "version": 3}


def torch_bytes(data):
    """Returns a torch tensor of bytes over a buffer. A case without rows has an empty buffer, which torch.frombuffer rejects."""
    import torch

    return torch.frombuffer(data, dtype=torch.uint8) if len(data) else torch.empty(0, dtype=torch.uint8)


def torch_tensor(address, count, dtype, shape, strides, device):
    """Returns a torch tensor over the memory at `address`, of which `count` bytes are readable."""
    import torch

    kind = getattr(torch, NAMES[dtype])
    shape, strides = _bytes_of_packed(dtype, shape, strides)
    width = kind.itemsize
    if device == "cpu":
        flat = torch_bytes((ctypes.c_uint8 * count).from_address(address) if count else b"")
    else:
        flat = torch.as_tensor(_CudaBytes(address, count), device=device)
    return flat[: count - count % width].view(kind).as_strided(shape, strides)


def at_address(framework, address, count, dtype, shape, strides, device="cpu", writeable=True):
    """Returns an array of a framework over memory that the array does not own."""
    if framework == "torch":
        return torch_tensor(address, count, dtype, shape, strides, device)
    if framework == "cupy":
        import cupy

        kind = numpy_dtype(dtype)
        shape, strides = _bytes_of_packed(dtype, shape, strides)
        memory = cupy.cuda.MemoryPointer(cupy.cuda.UnownedMemory(address, count, None), 0)
        return cupy.ndarray(shape, kind, memory, strides=[s * kind.itemsize for s in strides])
    array = numpy_array((ctypes.c_uint8 * max(1, count)).from_address(address), dtype, shape, strides, writeable=writeable)
    if framework == "jax":
        import jax.numpy

        return jax.numpy.asarray(array)
    return array


def storage(output):
    """Returns the memory of a kernel's output as a vector, from its first element to the end of its storage, with padding."""
    if type(output).__module__.partition(".")[0] == "torch":
        room = output.untyped_storage().nbytes() // output.element_size() - output.storage_offset()
        return output.as_strided((room,), (1,))
    if not isinstance(getattr(output, "base", None), ctypes.Array):
        raise ValueError("assay.storage: expected an output argument of the kernel, as a numpy or torch array")
    import numpy

    return numpy.frombuffer(output.base, output.dtype, ctypes.sizeof(output.base) // output.dtype.itemsize)


def deliver(role, value, out):
    """Copies a returned array into output `out`, with the padding of its storage if both arrays have the same strides."""
    from . import _tensors

    if type(out).__module__.partition(".")[0] == "torch":
        import torch

        value = value if isinstance(value, torch.Tensor) else torch.as_tensor(value)
        _require(
            role,
            str(value.dtype).removeprefix("torch."),
            tuple(value.shape),
            str(out.dtype).removeprefix("torch."),
            tuple(out.shape),
        )
        bits = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[out.element_size()]
        source, target = value.detach().view(bits).reshape(out.shape), out.view(bits)
        room = out.untyped_storage().nbytes() // out.element_size() - out.storage_offset()
        if (
            value.stride() == out.stride()
            and value.untyped_storage().nbytes() // out.element_size() - value.storage_offset() >= room > out.numel()
        ):
            source, target = source.as_strided((room,), (1,)), target.as_strided((room,), (1,))
        target.copy_(source)
        return
    if type(out).__module__.partition(".")[0] == "cupy":
        _require(role, value.dtype.name, value.shape, out.dtype.name, out.shape)
        bits = f"u{out.dtype.itemsize}"
        out.view(bits)[...] = value.view(bits).reshape(out.shape)
        return
    import numpy

    value = numpy.asarray(value)
    _require(role, value.dtype.name, value.shape, out.dtype.name, out.shape)
    base = out.base if isinstance(out.base, ctypes.Array) else None
    room = ctypes.sizeof(base) if base is not None else 0
    address = value.__array_interface__["data"][0]
    if value.strides == out.strides and room > out.nbytes and _tensors._readable(value, address) >= room:
        ctypes.memmove(base, address, room)
        return
    bits = f"u{out.dtype.itemsize}"
    out.view(bits)[...] = value.view(bits).reshape(out.shape)


def _require(role, dtype, shape, wanted_dtype, wanted_shape):
    longer = [extent for extent in shape if extent != 1] == [extent for extent in wanted_shape if extent != 1]
    if (dtype != wanted_dtype and not (dtype == "uint8" and "8" in wanted_dtype)) or not longer:
        raise ValueError(
            f"output {role!r}: the kernel returned {dtype} {list(shape)}; the case expects {wanted_dtype} {list(wanted_shape)}"
        )
