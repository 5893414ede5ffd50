"""Cases of the suite: gives their inputs, and checks outputs for these inputs."""

import ctypes
import weakref

from . import _arrays, _library, _tensors
from ._result import ConformanceError, Result


def cases(pattern, tier="quick", warp="32"):
    """Lists the ids of cases. pattern: a glob over contracts ("vllm.group_fp8*"), or over case ids ("quant_group/*m5*").

    tier: "quick", "full", or None for all. warp: only cases of this warp size, or None for all. Cases that differ only in
    warp size have the same inputs.
    """
    found = _library.ask("cases", pattern.encode(), tier.encode() if tier else None).data["cases"]
    return [one["id"] for one in found if warp is None or one["warp"] in ("", warp)]


def inputs(case, framework="numpy", device=None):
    """Returns the Case with this id, with its inputs as arrays.

    framework: "numpy", "torch", "jax" or "cupy"; device: where torch allocates the arrays.
    """
    return Case(case, framework, device)


class Case:
    """A case of the suite.

    id, op, contract: texts; why: the reason why the case exists; cell: its row of the case table
    parameters: numbers that the kernel receives, by name
    inputs: arrays by role, including tensors that the kernel changes in place
    outputs: dtype, shape and strides by role
    """

    def __init__(self, case, framework="numpy", device=None):
        if framework not in _arrays.FRAMEWORKS:
            raise ValueError(f"framework {framework!r}: expected one of {', '.join(_arrays.FRAMEWORKS)}")
        handle = ctypes.c_void_p()
        data = _library.ask("case_open", case.encode(), ctypes.byref(handle)).data
        self._handle = handle
        weakref.finalize(self, _library.library().assay_check_case_close, handle)
        self.id, self.op, self.contract, self.why, self.cell = (
            data["case"],
            data["op"],
            data["contract"],
            data["why"],
            data["cell"],
        )
        self.parameters = {
            name: int(value) if float(value).is_integer() else value for name, value in data["kernel_parameters"].items()
        }
        self.outputs = {one["role"]: one for one in data["tensors"] if one["access"] != "input"}
        self.results = []  # (Result, outputs) of each judge() and check(), for reports
        self._tensors = data["tensors"]
        self.inputs = {one["role"]: self._array(one, framework, device) for one in data["tensors"] if one["access"] != "output"}

    def __repr__(self):
        return f"<assay.Case {self.id}>"

    def storage(self, role):
        """Returns the bytes of an input as they lie in memory, with padding."""
        count = ctypes.c_uint64()
        address = _library.library().assay_check_case_data(self._handle, role.encode(), ctypes.byref(count))
        return ctypes.string_at(address, count.value) if address else b""

    def _array(self, one, framework, device):
        array = _arrays.numpy_array(
            bytearray(self.storage(one["role"])), one["dtype"], one["shape"], one["strides"], one["offset"]
        )
        if framework == "numpy":
            return array
        if framework == "torch":
            import torch

            kind, flat = getattr(torch, _arrays.NAMES[one["dtype"]]), _arrays.torch_bytes(bytearray(self.storage(one["role"])))
            flat = flat.to(device) if device else flat
            shape, strides = _arrays._bytes_of_packed(one["dtype"], one["shape"], one["strides"])
            return flat.view(kind).as_strided(shape, strides, one["offset"] // 2 if one["dtype"] == "e2m1x2" else one["offset"])
        if framework == "cupy":
            import cupy

            return cupy.asarray(array)
        import jax.numpy

        return jax.numpy.asarray(array)

    def judge(self, **outputs):
        """Checks the outputs of the case, which are passed by role: judge(q=q, scale=scale). Returns a Result."""
        described = [_tensors.describe(role, value) for role, value in outputs.items()]
        array = _library.structures(described)
        result = Result(_library.ask("case_judge", self._handle, array, len(described)))
        del described
        self.results.append((result, outputs))
        return result

    def check(self, **outputs):
        """Does what judge() does, and raises AssertionError with the report unless the outcome is "pass"."""
        __tracebackhide__ = True
        result = self.judge(**outputs)
        if not result:
            raise ConformanceError(result.text)
        return result
