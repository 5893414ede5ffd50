"""python -m assay.worker: the process in which `assay run --backend python:MODULE:KERNEL` calls a Python kernel."""

import ctypes
import os
import socket
import sys

_SOCKET, _MEMORY = 3, 4  # descriptors that a worker is started with


def _relay(path):
    """Sends the descriptors to the process that has the callable, and waits until that process has answered all calls."""
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(path)
        socket.send_fds(other, [b"f"], [_SOCKET, _MEMORY])
        os.close(_SOCKET)
        os.close(_MEMORY)
        other.recv(1)
    return 0


def main(arguments):
    if len(arguments) != 3 or arguments[:2] != ["worker", "--library"]:
        print("python -m assay.worker: is called only by assay run; try assay run --backend python:MODULE:KERNEL", file=sys.stderr)
        return 2
    place = arguments[2]
    if place.startswith("in-process:"):
        return _relay(os.environ["ASSAY_PYTHON_SOCKET"])
    for folder in reversed(os.environ.get("ASSAY_PYTHON_PATH", "").split(os.pathsep)):
        if folder and folder not in sys.path:
            sys.path.insert(1, folder)
    from . import _abi, _kernel, _library

    library = _library.library()
    try:
        plugin = _abi.Plugin(_kernel.import_kernel(place), _library.ids_in(_library.own_tables()))
    except BaseException as error:
        return library.assay_check_worker(None, f"{place}: {_abi._where(error)}".encode())
    return library.assay_check_worker(ctypes.addressof(plugin.library), place.encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
