"""The structs of assay/abi.h in ctypes, and a kernel library whose functions call a Python callable."""

import ctypes
import inspect
import json
import os
import traceback

from . import _arrays

OK, UNSUPPORTED, FAILED, DEVICE_LOST, FAULTED = range(5)
# CUDA errors that a kernel causes, and that every later call of this process returns too
_STICKY = {700, 702, 710, 714, 715, 716, 717, 718, 719}


class Tensor(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("type_code", ctypes.c_uint8),
        ("type_bits", ctypes.c_uint8),
        ("is_output", ctypes.c_uint8),
        ("ndim", ctypes.c_uint8),
        ("role", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("data", ctypes.c_void_p),
        ("bytes", ctypes.c_uint64),
    ]


class Param(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_double)]


class Call(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("op", ctypes.c_char_p),
        ("contract", ctypes.c_char_p),
        ("kernel", ctypes.c_char_p),
        ("tensors", ctypes.POINTER(Tensor)),
        ("n_tensors", ctypes.c_int32),
        ("params", ctypes.POINTER(Param)),
        ("n_params", ctypes.c_int32),
        ("stream", ctypes.c_void_p),
        ("workspace", ctypes.c_void_p),
        ("workspace_bytes", ctypes.c_size_t),
        ("message", ctypes.c_void_p),
        ("message_bytes", ctypes.c_size_t),
        ("rank", ctypes.c_int32),
        ("world_size", ctypes.c_int32),
        ("algorithm", ctypes.c_void_p),
    ]


_DESCRIBE = ctypes.CFUNCTYPE(ctypes.c_void_p)
_RUN = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.POINTER(Call))
_ALLOCATE = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_size_t)
_RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_COPY = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_SYNCHRONISE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)


class Library(ctypes.Structure):
    """The struct assay_library of the first release of the ABI, without streams, workspaces and groups."""

    _fields_ = [
        ("abi", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("describe", _DESCRIBE),
        ("run", _RUN),
        ("allocate", _ALLOCATE),
        ("release", _RELEASE),
        ("upload", _COPY),
        ("download", _COPY),
        ("synchronise", _SYNCHRONISE),
    ]


class Bound:
    """Passes the tensors and parameters of a call to a callable: by the names of its arguments, or in the order of `arguments`.
    Values in `arguments` that are not names are passed unchanged."""

    def __init__(self, function, arguments=None):
        self.function, self.order = function, arguments
        if arguments is not None:
            self.takes_all, self.names = False, [one for one in arguments if isinstance(one, str)]
            self.needed = self.names
            return
        try:
            names = inspect.signature(function).parameters
        except (TypeError, ValueError) as error:
            raise TypeError(
                "Python cannot read the kernel's signature; name its arguments in order: arguments=['x', 'q']"
            ) from error
        self.takes_all = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in names.values())
        self.names = [
            name
            for name, one in names.items()
            if one.kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        ]
        self.needed = [name for name, one in names.items() if one.default is inspect.Parameter.empty and name in self.names]

    def call(self, inputs, outputs, parameters):
        """Calls the callable. It must return the outputs that are not among its arguments, in the order of the call or as a
        dict."""
        given = {**parameters, **inputs, **outputs}
        lacking = [name for name in self.needed if name not in given]
        if lacking:
            raise TypeError(
                f"the kernel's argument {lacking[0]!r} is neither a tensor nor a parameter of the call; "
                f"there are: {', '.join(given)}"
            )
        returned_outputs = (
            {name: out for name, out in outputs.items() if name not in self.names} if not self._writes(outputs) else {}
        )
        chosen = given if self.takes_all else {name: value for name, value in given.items() if name in self.names}
        for name in returned_outputs:
            chosen.pop(name, None)
        returned = self._called(chosen)
        if not returned_outputs:
            return
        if not isinstance(returned, dict):
            returned = returned if isinstance(returned, (tuple, list)) else (returned,)
            if len(returned) != len(returned_outputs):
                raise ValueError(f"the kernel returned {len(returned)} arrays; the case expects {', '.join(returned_outputs)}")
            returned = dict(zip(returned_outputs, returned))
        for name, out in returned_outputs.items():
            if returned.get(name) is None:
                raise ValueError(f"the kernel returned no {name!r}; the case expects {', '.join(returned_outputs)}")
            _arrays.deliver(name, returned[name], out)

    def returned(self, case):
        """Calls a callable without output arguments with the inputs of a Case, and returns the outputs by role."""
        given = {**case.parameters, **case.inputs}
        found = self._called(given if self.takes_all else {name: one for name, one in given.items() if name in self.names})
        if isinstance(found, dict):
            return found
        return dict(zip(case.outputs, found if isinstance(found, (tuple, list)) else (found,)))

    def _called(self, given):
        if self.order is None:
            return self.function(**given)
        return self.function(*(given[one] if isinstance(one, str) else one for one in self.order))

    def _writes(self, outputs):
        """Returns whether the callable takes its outputs as arguments, and writes them."""
        return self.takes_all or any(name in self.names for name in outputs)


def _where(error):
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    place = f" ({os.path.basename(last.filename)}:{last.lineno} in {last.name})" if last else ""
    return f"{type(error).__name__}: {error}{place}"


class Plugin:
    """An assay_library that calls a Kernel. Keep this object as long as `library` is used."""

    def __init__(self, kernel, own=()):
        self.kernel, self.bound, self.own = kernel, Bound(kernel.function, kernel.arguments), own
        self.on_device = kernel.device != "cpu"
        if self.on_device:
            self._make_context()
        self.description = ctypes.create_string_buffer(json.dumps(self._describe()).encode())
        self.library = Library(
            abi=1,
            size=ctypes.sizeof(Library),
            describe=_DESCRIBE(lambda: ctypes.addressof(self.description)),
            run=_RUN(self._run),
        )
        if self.on_device:
            self._add_device()

    def _make_context(self):
        if self.kernel.arrays == "cupy":
            import cupy

            cupy.zeros(1)
        else:
            import torch

            torch.zeros(1, device=self.kernel.device)

    def _describe(self):
        kernel, arch, device = self.kernel, "cpu", ""
        if self.on_device:
            from . import _cuda

            arch, device = _cuda.arch(), _cuda.device_name()
        offer = {"name": kernel.name, "op": kernel.op, "contracts": kernel.contract_ids(self.own)}
        if kernel.accepts:
            offer["accepts"] = {name: list(cells) for name, cells in kernel.accepts.items()}
        if kernel.multiple_of:
            offer["multiple_of"] = dict(kernel.multiple_of)
        return {"name": f"Python {kernel.name}", "arch": arch, "device": device, "driver": "", "toolkit": "", "kernels": [offer]}

    def _add_device(self):
        from . import _cuda

        self.library.allocate = _ALLOCATE(_cuda.allocate)
        self.library.release = _RELEASE(lambda address: _cuda.release(address or 0))
        self.library.upload = _COPY(lambda device, host, count: self._status(_cuda.upload(device, host, count)))
        self.library.download = _COPY(lambda host, device, count: self._status(_cuda.download_to(host, device, count)))
        self.library.synchronise = _SYNCHRONISE(lambda stream: self._status(_cuda.synchronize()))

    @staticmethod
    def _status(code):
        return OK if code == 0 else FAULTED if code in _STICKY else FAILED

    def _run(self, pointer):
        call = pointer.contents
        try:
            inputs, outputs = {}, {}
            for i in range(call.n_tensors):
                tensor = call.tensors[i]
                role, shape = tensor.role.decode(), [tensor.shape[d] for d in range(tensor.ndim)]
                strides = [tensor.strides[d] for d in range(tensor.ndim)]
                dtype = _arrays.of_abi(tensor.type_code, tensor.type_bits)
                framework = (
                    "numpy" if tensor.is_output and self.kernel.arrays == "jax" else self.kernel.arrays
                )  # jax arrays cannot be written
                array = _arrays.at_address(
                    framework, tensor.data or 0, tensor.bytes, dtype, shape, strides, self.kernel.device, bool(tensor.is_output)
                )
                (outputs if tensor.is_output else inputs)[role] = array
            values = {call.params[i].name.decode(): call.params[i].value for i in range(call.n_params)}
            self.bound.call(
                inputs, outputs, {name: int(value) if value.is_integer() else value for name, value in values.items()}
            )
            if self.on_device:
                from . import _cuda

                code = _cuda.synchronize()
                return OK if code == 0 else self._say(call, self._status(code), _cuda.words(code))
            return OK
        except NotImplementedError as error:
            return self._say(call, UNSUPPORTED, str(error) or "NotImplementedError")
        except BaseException as error:  # an exception must not reach the C caller
            return self._say(call, FAILED, _where(error))

    @staticmethod
    def _say(call, status, words):
        if call.message and call.message_bytes:
            text = words.replace("\n", " ").encode()[: call.message_bytes - 1]
            ctypes.memmove(call.message, text + b"\0", len(text) + 1)
        return status
