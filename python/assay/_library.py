"""Calls assay/check.h through ctypes: finds the library and the program, makes requests, and copies the answers."""

import ctypes
import json
import os
import threading
from pathlib import Path

OK, REFUSED, FAILED = 0, 1, 2
VERSION = 1


class Tensor(ctypes.Structure):
    """assay_check_tensor"""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("ndim", ctypes.c_int32),
        ("role", ctypes.c_char_p),
        ("dtype", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("data", ctypes.c_void_p),
        ("bytes", ctypes.c_uint64),
    ]


class Parameter(ctypes.Structure):
    """assay_check_parameter"""

    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_char_p)]


class Request(ctypes.Structure):
    """assay_check_request"""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("n_tensors", ctypes.c_int32),
        ("contract", ctypes.c_char_p),
        ("tensors", ctypes.POINTER(Tensor)),
        ("parameters", ctypes.POINTER(Parameter)),
        ("n_parameters", ctypes.c_int32),
        ("with_power", ctypes.c_int32),
        ("layout", ctypes.c_char_p),
    ]


class Tables(ctypes.Structure):
    """assay_check_tables"""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("n_contracts", ctypes.c_int32),
        ("data", ctypes.c_char_p),
        ("contracts", ctypes.POINTER(ctypes.c_char_p)),
    ]


def _places(name, of_environment, *in_build):
    """Returns the paths where a native file may be: the environment variable `of_environment`, if set; else this package's folder, then the
    build folder of the source tree."""
    here = Path(__file__).resolve().parent
    if os.environ.get(of_environment):
        yield Path(os.environ[of_environment])
        return
    yield here / "_native" / name
    yield here.parent.parent.joinpath("build", *in_build)


def _find(name, of_environment, *in_build):
    places = list(_places(name, of_environment, *in_build))
    for place in places:
        if place.exists():
            return str(place)
    raise ImportError(f"{name}: not found at {' or '.join(map(str, places))}; install the package, or set {of_environment}")


def program():
    """Returns the path of the program `assay`."""
    return _find("bin/assay", "ASSAY_PROGRAM", "assay")


_lock = threading.Lock()
_open = None


def library():
    """Returns the C library. Loads it at the first request, so that `import assay` costs nothing."""
    global _open
    with _lock:
        if _open is None:
            _open = _load()
        return _open


def _load():
    # CDLL releases the GIL during each call, so other Python threads run while a contract is evaluated.
    lib = ctypes.CDLL(_find("lib/libassay_check.so", "ASSAY_CHECK_LIBRARY", "lib", "libassay_check.so"))
    report, answer = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
    signatures = {
        "version": (ctypes.c_uint32, []),
        "text": (ctypes.c_char_p, [report]),
        "json": (ctypes.c_char_p, [report]),
        "conforms": (ctypes.c_int32, [report]),
        "free": (None, [report]),
        "judge": (ctypes.c_int32, [ctypes.POINTER(Request), answer]),
        "match": (ctypes.c_int32, [ctypes.POINTER(Request), answer]),
        "explain": (ctypes.c_int32, [ctypes.POINTER(Request), ctypes.c_int64, ctypes.c_int64, answer]),
        "scale": (ctypes.c_int32, [ctypes.POINTER(Request), ctypes.c_int32, answer]),
        "open": (ctypes.c_int32, [ctypes.POINTER(Tables), answer]),
        "contract": (ctypes.c_int32, [ctypes.c_char_p, answer]),
        "cases": (ctypes.c_int32, [ctypes.c_char_p, ctypes.c_char_p, answer]),
        "case_open": (ctypes.c_int32, [ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p), answer]),
        "case_close": (None, [ctypes.c_void_p]),
        "case_data": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_uint64)]),
        "case_judge": (ctypes.c_int32, [ctypes.c_void_p, ctypes.POINTER(Tensor), ctypes.c_int32, answer]),
        "worker": (ctypes.c_int32, [ctypes.c_void_p, ctypes.c_char_p]),
        "serve": (ctypes.c_int32, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(lib, "assay_check_" + name)
        function.restype, function.argtypes = result, arguments
    if lib.assay_check_version() != VERSION:
        raise ImportError(f"libassay_check has version {lib.assay_check_version()}; this package needs version {VERSION}")
    if own_tables():
        _ask(lib, "open", ctypes.byref(_tables(own_tables())))
    return lib


OWN_CONTRACTS = "ASSAY_CONTRACTS"  # the user's contract tables, separated as in PATH; `assay run` sets it for workers


def own_tables():
    """Returns the paths of the contract tables that the environment variable ASSAY_CONTRACTS lists."""
    return [file for file in os.environ.get(OWN_CONTRACTS, "").split(os.pathsep) if file]


def ids_in(tables):
    """Returns the ids of the contracts in the user's own tables."""
    import csv

    ids = []
    for file in tables:
        with open(file, newline="") as lines:
            rows = csv.DictReader(lines)
            if "id" not in (rows.fieldnames or ()):
                raise ValueError(f"{file}: has no column 'id'; expected a table of contracts, see docs/own-contract.md")
            ids += [row["id"] for row in rows if row["id"]]
    return ids


def _tables(files):
    array = (ctypes.c_char_p * len(files))(*(os.path.abspath(file).encode() for file in files))
    return Tables(size=ctypes.sizeof(Tables), n_contracts=len(files), contracts=array)


def open_contracts(*files):
    """Reads contract tables of your own (CSV), for every function of this package: assay.open_contracts("acme.csv").

    Call it once in a process, before other functions of this package; otherwise it raises ValueError. The environment variable
    ASSAY_CONTRACTS has the same effect.
    """
    if not files:
        raise ValueError("assay.open_contracts: expected at least one file")
    ask("open", ctypes.byref(_tables([os.fspath(file) for file in files])))


class Answer:
    """The library's answer: `text` for people, `data` parsed from JSON, and whether the outputs conform."""

    def __init__(self, text, data, conforms):
        self.text, self.data, self.conforms = text, data, conforms


def ask(function, *arguments):
    """Calls assay_check_FUNCTION. An invalid request is a ValueError; a request that the library cannot answer is a
    RuntimeError."""
    return _ask(library(), function, *arguments)


def _ask(lib, function, *arguments):
    report = ctypes.c_void_p()
    status = getattr(lib, "assay_check_" + function)(*arguments, ctypes.byref(report))
    try:
        text = lib.assay_check_text(report).decode("utf-8", "replace")
        if status == REFUSED:
            raise ValueError(_in_python(text))
        if status != OK:
            raise RuntimeError(text)
        return Answer(text, json.loads(lib.assay_check_json(report)), bool(lib.assay_check_conforms(report)))
    finally:
        lib.assay_check_free(report)


def _in_python(text):
    """Replaces options of the command line in a message by the keyword arguments of this package."""
    if "--" not in text:
        return text
    import re

    text = re.sub(r"--param (\w+)=VALUE", r"the argument \1=...", text)
    text = re.sub(r"--param (\w+)=(\w+)", r"\1=\2", text)
    text = re.sub(r"--param (\w+)", r"argument \1", text)
    text = re.sub(r"--layout NAME", "layout='NAME'", text)
    text = re.sub(r"another --layout", "another layout='NAME'", text)
    return re.sub(r"leave --layout out", "leave layout out", text)


def request(contract, tensors, parameters, layout=None, with_power=False):
    """A Request and the memory that it points to; keep both until the request is answered. `tensors`: _tensors.Described."""
    array = structures(tensors)
    named = (Parameter * max(1, len(parameters)))()
    for place, (name, value) in zip(named, parameters.items()):
        place.name, place.value = name.encode(), value.encode()
    one = Request(
        size=ctypes.sizeof(Request),
        n_tensors=len(tensors),
        contract=contract.encode() if contract else None,
        tensors=array,
        parameters=named,
        n_parameters=len(parameters),
        with_power=int(with_power),
        layout=layout.encode() if layout else None,
    )
    return one, (array, named, tensors)


def structures(tensors):
    """Returns a ctypes array of assay_check_tensor."""
    array = (Tensor * max(1, len(tensors)))()
    for place, tensor in zip(array, tensors):
        shape, strides = (ctypes.c_int64 * max(1, len(values)) for values in (tensor.shape, tensor.strides))
        place.size, place.ndim = ctypes.sizeof(Tensor), len(tensor.shape)
        place.role, place.dtype = tensor.role.encode(), tensor.dtype.encode()
        place.shape, place.strides = shape(*tensor.shape), strides(*tensor.strides)
        place.data, place.bytes = tensor.data, tensor.bytes
    return array
