"""Functions of the CUDA driver for copies and for the worker. They use the current context, which any framework may own."""

import ctypes

_driver = None


def driver():
    global _driver
    if _driver is None:
        _driver = ctypes.CDLL("libcuda.so.1")
        for name in ("cuMemAlloc_v2", "cuMemFree_v2", "cuMemcpyHtoD_v2", "cuMemcpyDtoH_v2"):
            getattr(_driver, name).restype = ctypes.c_int
    return _driver


def words(code):
    text = ctypes.c_char_p()
    driver().cuGetErrorName(code, ctypes.byref(text))
    return (text.value or b"CUDA error").decode()


def synchronize():
    """Waits for the device. Returns the error code of its finished work, 0 if there was no error."""
    return driver().cuCtxSynchronize()


def download(host, address, count):
    """Copies from device memory into a ctypes buffer. Needs a current context, made by the framework that owns the memory."""
    code = synchronize() or driver().cuMemcpyDtoH_v2(host, ctypes.c_uint64(address), ctypes.c_size_t(count))
    if code:
        raise RuntimeError(f"cannot copy {count} bytes from the CUDA device: {words(code)}")


def allocate(count):
    address = ctypes.c_uint64()
    return address.value if driver().cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(count)) == 0 else 0


def release(address):
    driver().cuMemFree_v2(ctypes.c_uint64(address))


def upload(address, host, count):
    return driver().cuMemcpyHtoD_v2(ctypes.c_uint64(address or 0), ctypes.c_void_p(host), ctypes.c_size_t(count))


def download_to(host, address, count):
    return driver().cuMemcpyDtoH_v2(ctypes.c_void_p(host), ctypes.c_uint64(address or 0), ctypes.c_size_t(count))


def arch():
    """Returns the architecture of the current device, such as "sm_90"."""
    device, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    driver().cuCtxGetDevice(ctypes.byref(device))
    driver().cuDeviceGetAttribute(ctypes.byref(major), 75, device)
    driver().cuDeviceGetAttribute(ctypes.byref(minor), 76, device)
    return f"sm_{major.value}{minor.value}"


def device_name():
    device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    driver().cuCtxGetDevice(ctypes.byref(device))
    driver().cuDeviceGetName(name, 256, device)
    return name.value.decode()
