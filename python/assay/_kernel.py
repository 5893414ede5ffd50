"""A Python callable as a kernel of the suite."""

import fnmatch
import functools
import inspect
import os
import sys

from . import _library
from ._judge import contract


class Kernel:
    """A callable with the op, contracts and parameters that it supports. Calling a Kernel calls the callable."""

    def __init__(
        self, function, op, contracts, arrays="numpy", device=None, accepts=None, multiple_of=None, name=None, arguments=None
    ):
        if not callable(function):
            raise TypeError(f"@assay.kernel: expected a callable, got {type(function).__name__}")
        self.function, self.op, self.arrays = function, op, arrays
        self.patterns = [contracts] if isinstance(contracts, str) else list(contracts)
        self.device = device or ("cuda" if arrays == "cupy" else "cpu")
        self.accepts = {key: [cells] if isinstance(cells, (str, int, float)) else cells for key, cells in (accepts or {}).items()}
        self.multiple_of, self.arguments = multiple_of or {}, None if arguments is None else list(arguments)
        self.name = name or getattr(function, "__name__", type(function).__name__)
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *arguments, **named):
        return self.function(*arguments, **named)

    def __repr__(self):
        return f"<assay.Kernel {self.name}: {self.op}, {', '.join(self.patterns)}>"

    def contract_ids(self, own=()):
        """Returns the contracts of the op that the patterns match. Raises ValueError if a pattern matches none. own: ids of contracts in the user's
        tables; the C library of this process may not have read these tables."""
        found = []
        for pattern in self.patterns:
            of_user = [one for one in own if fnmatch.fnmatchcase(one, pattern)]
            found += of_user
            if of_user:
                continue
            if not any(sign in pattern for sign in "*?["):
                ops = [one["op"] for one in contract(pattern)["ops"]]
                if self.op not in ops:
                    raise ValueError(f"@assay.kernel: op {self.op!r}: contract {pattern!r} is of op {' or '.join(ops)}")
                found.append(pattern)
                continue
            cases = _library.ask("cases", f"{self.op}/{pattern}/*".encode(), None).data["cases"]
            matched = [one["contract"] for one in cases if fnmatch.fnmatchcase(one["contract"], pattern)]
            if not matched:
                raise ValueError(f"@assay.kernel: no contract of op {self.op!r} matches {pattern!r}; see assay contracts list")
            found += matched
        return list(dict.fromkeys(found))

    def place(self):
        """Returns the name by which another process can import this kernel, "MODULE:NAME" or "FILE.py:NAME"; None for closures, lambdas and
        notebooks."""
        name = getattr(self, "__qualname__", "")
        module = sys.modules.get(getattr(self, "__module__", None) or "")
        if module is None or not name or "<" in name:
            return None
        found = module
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is not self:
            return None
        file = getattr(module, "__file__", None)
        if (
            module.__name__ != "__main__"
            and getattr(module, "__spec__", None) is not None
            and "." not in module.__name__
            and file is None
        ):
            return f"{module.__name__}:{name}"
        if file is None or not os.path.exists(file):
            return None
        packaged = module.__name__ != "__main__" and getattr(module, "__package__", "")
        return f"{module.__name__}:{name}" if packaged else f"{os.path.abspath(file)}:{name}"


def kernel(
    function=None, /, *, op, contracts, arrays="numpy", device=None, accepts=None, multiple_of=None, name=None, arguments=None
):
    """Declares a callable as a kernel of `op` for `contracts` (ids or globs).

        @assay.kernel(op="quant_group", contracts="vllm.group_fp8", accepts={"layout": ["row"]})
        def my_quant(x, group_size):
            ...
            return q, scale

    The callable gets tensors and parameters by name. If it has arguments for outputs, it writes into them; their memory lies
    between guard zones. Otherwise it returns the outputs, in the op's order or as a dict. arrays: "numpy", "torch", "jax" or
    "cupy"; device="cuda" for torch on a GPU. accepts, multiple_of: the case parameters that it supports, as in assay/abi.h.
    If it raises NotImplementedError, the case is skipped. arguments: argument names in order, for a callable without a readable
    signature (an op of torch.ops, a tvm-ffi function); numbers, None and bools in this list are passed unchanged.
    """
    from ._arrays import FRAMEWORKS

    if arrays not in FRAMEWORKS:
        raise ValueError(f"@assay.kernel: arrays {arrays!r}: expected one of {', '.join(FRAMEWORKS)}")
    if function is None:
        return lambda one: Kernel(one, op, contracts, arrays, device, accepts, multiple_of, name, arguments)
    return Kernel(function, op, contracts, arrays, device, accepts, multiple_of, name, arguments)


def import_kernel(place):
    """Imports the Kernel "MODULE:NAME" or "FILE.py:NAME"."""
    import importlib
    import importlib.util

    where, _, name = place.rpartition(":")
    if not where:
        raise ValueError(f"{place!r}: expected MODULE:KERNEL or FILE.py:KERNEL")
    if where.endswith(".py"):
        sys.path.insert(0, os.path.dirname(os.path.abspath(where)))
        spec = importlib.util.spec_from_file_location("__assay_kernels__", where)
        module = importlib.util.module_from_spec(spec)
        sys.modules["__assay_kernels__"] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(where)
    found = module
    for part in name.split("."):
        found = getattr(found, part)
    if not isinstance(found, Kernel):
        raise TypeError(f"{place}: is a {type(found).__name__}; expected a function with @assay.kernel")
    return found
