"""assay.capture: records tensors of calls that a running model makes, up to a size limit, for assay.judge_capture."""

import fnmatch
import functools
import importlib
import inspect
import json
import os
import re
import sys
import threading
import warnings
from pathlib import Path

from . import _safetensors, _tensors
from ._op_map import Entry, entries

_PACKAGES = (
    "torch triton torchao liger-kernel flashinfer-python vllm sglang sglang-kernel transformer-engine amd-aiter numpy".split()
)
_MOST_SHAPES = 1000  # limit on the entries of Capture.shapes
_own = threading.local()  # .busy: this thread is copying tensors for a capture


def capture(folder, ops=None, *, calls=8, max_bytes=1 << 28):
    """Records calls within the `with` block into a new folder; assay.judge_capture(folder) checks them on any machine.

        with assay.capture("captured", ops=["_C::*", "flashinfer.*"]) as recorded:
            model(tokens)
        print(recorded)

    ops: None for every op of the map (python/assay/op_map.csv); globs over op names; or a dict of name and spec, such as
    {"my_module.my_quant": {"contract": "vllm.group_fp8", "inputs": ["x"], "outputs": {"q": "return.0", "scale": "return.1"}}}.
    For ops without a contract, only argument shapes are counted. calls: largest number of recorded calls per op. max_bytes:
    largest size of all recorded tensors together.
    """
    return Capture(folder, ops, calls, max_bytes)


class Capture:
    """What assay.capture recorded.

    recorded: number of recorded calls by op
    left_out: for each op, the reasons why calls were not recorded, and how many calls each reason left out
    shapes: number of calls by op and shapes of the arguments, for calls that no contract of op_map.csv describes
    bytes: size of all recorded tensors together
    """

    def __init__(self, folder, ops=None, calls=8, max_bytes=1 << 28):
        self.folder, self.most_calls, self.max_bytes = Path(folder), calls, max_bytes
        self.bytes, self.recorded, self.left_out, self.shapes = 0, {}, {}, {}
        self._lock, self._active, self._mode, self._hooks, self._broken = threading.RLock(), False, None, [], None
        self._globs, self._map = [], {}
        known = entries()
        if isinstance(ops, dict):
            for name, spec in ops.items():
                self._map[name] = known.get(name, []) if spec is None else [Entry.of_spec(name, spec)]
            self._named = [name for name in ops if "::" not in name]
        else:
            self._globs = [ops] if isinstance(ops, str) else list(ops) if ops is not None else ["*"]
            self._map = {
                name: rows
                for name, rows in known.items()
                if any(map(functools.partial(fnmatch.fnmatchcase, name), self._globs))
            }
            if ops is None:
                self._globs = []
            self._named = [one for one in self._globs if "::" not in one and not re.search(r"[*?\[]", one)]
        unknown = [
            one for one in self._globs if "::" not in one and one not in self._named and not _matches_any(self._map, one)
        ]
        if unknown:
            raise ValueError(f"assay.capture: no op of op_map.csv matches {unknown[0]!r}; to record a function, write module.function")

    def __enter__(self):
        if self._active:
            raise RuntimeError("assay.capture: this capture is already running")
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise FileExistsError(f"assay.capture: {str(self.folder)!r} exists and is not an empty folder; choose another")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_index(complete=False)
        self._hook_functions()
        self._active = True
        if "torch" in sys.modules:
            self._mode = _torch_mode(self)
            self._mode.__enter__()
        return self

    def __exit__(self, *exception):
        if self._mode is not None:
            self._mode.__exit__(*exception)
        self._active = False
        for place, name, wrapper, original in reversed(self._hooks):
            if getattr(place, name, None) is wrapper:
                setattr(place, name, original)
        self._hooks = []
        if self._broken is None:
            try:
                self._write_index(complete=True)
            except OSError as error:
                self._break(error)
        if self._broken is not None:
            warnings.warn(
                f"assay.capture: {self._broken}; {self.folder} has only the calls before this error",
                RuntimeWarning,
                stacklevel=2,
            )

    def __repr__(self):
        lines = [
            f"<assay.Capture {self.folder}: {sum(self.recorded.values())} calls of {len(self.recorded)} ops, {self.bytes} bytes>"
        ]
        lines += [f"  {count:5}  {op}" for op, count in sorted(self.recorded.items())]
        return "\n".join(lines + left_out_lines(self.left_out, self.shapes))

    # What is recorded

    def _rows(self, op):
        """Returns the rows of the op map (op_map.csv) for an op: [] if only its shapes are counted, None if its calls are ignored."""
        if op in self._map:
            return self._map[op]
        return [] if any("::" in one and fnmatch.fnmatchcase(op, one) for one in self._globs) else None

    def call(self, op, rows, arguments, function):
        """Calls function() and records the call. Errors of the recording are counted and never reach the model."""
        plan = None
        if self._active and self._broken is None and not getattr(_own, "busy", False):
            plan = self._guarded(op, lambda: self._plan(op, rows, arguments))
        if plan is None:
            return function()
        try:
            returned = function()
        except BaseException as error:
            self._leave(op, f"the call raised {type(error).__name__}")
            raise
        self._guarded(op, lambda: self._keep(op, plan, arguments, returned))
        return returned

    def _guarded(self, op, step):
        _own.busy = True
        try:
            return step()
        except OSError as error:
            self._break(error)
        except Exception as error:  # counted, so that the model continues
            self._leave(op, f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else str(error))
        finally:
            _own.busy = False
        return None

    def _break(self, error):
        self._broken = f"cannot write: {error}"

    def _leave(self, op, reason):
        with self._lock:
            reasons = self.left_out.setdefault(op, {})
            reasons[reason if reason in reasons or len(reasons) < 8 else "other reasons"] = reasons.get(reason, 0) + 1

    def _plan(self, op, rows, arguments):
        """Returns the row of `rows` that describes this call, copies of its inputs, and its parameters. Returns None if the call is not recorded."""
        if not rows:
            return self._count_shapes(op, arguments)
        arguments["arch"] = arguments.get("arch", arch_of(arguments))
        row = next((one for one in rows if one.fits(arguments)), None)
        if row is None:
            self._count_shapes(op, arguments)
            return self._leave(op, "no row of op_map.csv fits these arguments; only their shapes are counted")
        if not row.contracts:
            return None
        with self._lock:
            if self.recorded.get(op, 0) >= self.most_calls:
                return self._leave(op, f"the limit calls={self.most_calls} for each op is reached")
        if _is_graph_capture():
            return self._leave(op, "called while a CUDA graph was captured, when tensors cannot be copied")
        inputs = {role: row.array(role, text, arguments) for role, text in row.inputs.items()}
        outputs = {
            role: row.array(role, text, arguments) for role, text in row.outputs.items() if not text.startswith("return")
        }
        inputs = {role: value for role, value in inputs.items() if value is not None}
        if any(0 in value.shape for value in inputs.values() if hasattr(value, "shape")):
            return self._leave(op, "an input tensor is empty")
        if not self._fits([*inputs.values(), *outputs.values()]):
            return self._leave(op, f"its tensors would exceed the limit max_bytes={self.max_bytes}, which is for all recorded calls together")
        parameters = {name: row.number(text, arguments) for name, text in row.parameters.items()}
        parameters = {name: value for name, value in parameters.items() if value is not None}
        return row, {role: _safetensors.Stored(role, value) for role, value in inputs.items()}, parameters

    def _fits(self, arrays):
        return self.bytes + sum(map(bytes_of, arrays)) <= self.max_bytes

    def _keep(self, op, plan, arguments, returned):
        row, tensors, parameters = plan
        outputs = {role: row.array(role, text, arguments, returned) for role, text in row.outputs.items()}
        absent = [role for role, value in outputs.items() if value is None]
        if absent:
            return self._leave(op, f"output {absent[0]!r} is None; expected a tensor")
        if not self._fits(outputs.values()):
            return self._leave(op, f"its tensors would exceed the limit max_bytes={self.max_bytes}, which is for all recorded calls together")
        tensors = {**tensors, **{role: _safetensors.Stored(role, value) for role, value in outputs.items()}}
        size = sum(len(one.content) for one in tensors.values())
        with self._lock:
            if self.recorded.get(op, 0) >= self.most_calls or self.bytes + size > self.max_bytes:
                return self._leave(op, f"the limit calls={self.most_calls} or max_bytes={self.max_bytes} is reached")
            self.bytes += size
            self.recorded[op] = self.recorded.get(op, 0) + 1
            number = sum(self.recorded.values())
        said = {
            "op": op,
            "number": number,
            "row": row.release,
            "arch": arguments.get("arch", "cpu"),
            "contracts": row.contracts_on(arguments.get("arch", "cpu")),
            "parameters": parameters,
            "tensors": {
                role: {"dtype": one.dtype, "shape": one.shape, "strides": one.strides} for role, one in tensors.items()
            },
        }
        place = self.folder / f"{number:05}.{re.sub(r'[^A-Za-z0-9_.-]+', '.', op)[-80:]}"
        place.mkdir()
        _safetensors.write(place / "tensors.safetensors", tensors)
        (place / "call.json").write_text(json.dumps(said, indent=1) + "\n")

    def _count_shapes(self, op, arguments):
        words = ", ".join(f"{name}={_in_words(value)}" for name, value in arguments.items() if name != "arch")
        key = f"{op}({words})"
        with self._lock:
            if key in self.shapes or len(self.shapes) < _MOST_SHAPES:
                self.shapes[key] = self.shapes.get(key, 0) + 1
            else:
                self._leave(op, f"its shapes are not counted, because there are already {_MOST_SHAPES} combinations of shapes")

    def _write_index(self, complete):
        said = {
            "assay_capture": 1,
            "complete": complete,
            "packages": _versions(),
            "calls": sum(self.recorded.values()),
            "left_out": self.left_out,
            "shapes": self.shapes,
        }
        (self.folder / "capture.json").write_text(json.dumps(said, indent=1) + "\n")

    # Functions

    def _hook_functions(self):
        wrappers = {}
        for name in self._map.keys() | set(self._named):
            if "::" in name:
                continue
            found = _function(name, must=name in self._named)
            if found is not None:
                wrappers[id(found[2])] = (found, self._wrapper(name, found[2]))
        if not wrappers:
            return
        for (place, attribute, original), wrapper in wrappers.values():
            setattr(place, attribute, wrapper)
            self._hooks.append((place, attribute, wrapper, original))
        for module in list(sys.modules.values()):  # modules that did `from x import f`
            for attribute, value in list(getattr(module, "__dict__", {}).items()):
                found = wrappers.get(id(value))
                if found is not None and found[0][2] is value:
                    setattr(module, attribute, found[1])
                    self._hooks.append((module, attribute, found[1], value))

    def _wrapper(self, name, function):
        rows = self._map.get(name, [])
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):
            raise ValueError(
                f"assay.capture: Python cannot read the signature of {name}; wrap it in a function with named arguments"
            ) from None

        @functools.wraps(function)
        def wrapper(*arguments, **named):
            try:
                bound = signature.bind(*arguments, **named)
            except TypeError:
                return function(*arguments, **named)  # raises the exception of the call
            bound.apply_defaults()
            return self.call(name, rows, dict(bound.arguments), lambda: function(*arguments, **named))

        return wrapper


def _matches_any(names, glob):
    return any(fnmatch.fnmatchcase(one, glob) for one in names)


def _function(name, must):
    """Returns (owner, attribute, function) of a dotted name, or None if there is no such function. Imports the module only if `must`."""
    parts = name.split(".")
    owner = None
    for count in range(len(parts) - 1, 0, -1):
        path = ".".join(parts[:count])
        owner = sys.modules.get(path)
        if owner is None and must:
            try:
                owner = importlib.import_module(path)
            except ImportError:
                continue
        if owner is not None:
            break
    for part in parts[count:-1] if owner is not None else ():
        owner = getattr(owner, part, None)
    found = getattr(owner, parts[-1], None) if owner is not None else None
    if callable(found):
        return owner, parts[-1], found
    if must:
        raise ValueError(f"assay.capture: {name} is not a function that can be imported")
    return None


def _torch_mode(recorder):
    """Intercepts every call of torch.ops in this thread, below autograd."""
    from torch.utils._python_dispatch import TorchDispatchMode

    torch = sys.modules["torch"]
    known = {}  # overload -> (op, rows, names and defaults of arguments), or None
    keys = {"cpu": "CPU", "cuda": "CUDA"}
    has_kernel = torch._C._dispatch_has_computed_kernel_for_dispatch_key

    def through(overload, args, kwargs):
        """Calls an op so that the ops that its kernel calls are intercepted too. This is needed for composite ops, which
        inference mode does not decompose, and for ops that libraries implement in Python."""
        name = overload.name()
        if torch._C._dispatch_has_kernel_for_dispatch_key(name, "CompositeImplicitAutograd"):
            with mode:
                returned = overload.decompose(*args, **kwargs)
            return overload(*args, **kwargs) if returned is NotImplemented else returned
        if name.startswith(("aten::", "prim")):
            return overload(*args, **kwargs)
        found = (getattr(one, "device", None) for one in (*args, *kwargs.values()))
        key = next((keys.get(one.type) for one in found if one is not None), None)
        if key is None or not has_kernel(name, key):
            return overload(*args, **kwargs)
        with mode:
            return overload.redispatch(torch._C.DispatchKeySet(getattr(torch._C.DispatchKey, key)), *args, **kwargs)

    def about(overload):
        schema = getattr(overload, "_schema", None)
        rows = recorder._rows(schema.name) if schema is not None else None
        if rows is None:
            return None
        return (
            schema.name,
            rows,
            [(one.name, one.default_value if one.has_default_value() else None) for one in schema.arguments],
        )

    class Mode(TorchDispatchMode):
        def __torch_dispatch__(self, overload, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            if any(one not in (torch.Tensor, torch.nn.Parameter) for one in types):
                return NotImplemented  # lets the tensor subclass unwrap itself first; then its parts arrive here
            if overload not in known:
                known[overload] = about(overload)
            if getattr(_own, "busy", False):
                return overload(*args, **kwargs)
            if known[overload] is None:
                return through(overload, args, kwargs)
            op, rows, names = known[overload]
            arguments = {name: default for name, default in names}
            arguments.update(zip((name for name, _ in names), args))
            arguments.update(kwargs)
            return recorder.call(op, rows, arguments, lambda: through(overload, args, kwargs))

    mode = Mode()
    return mode


def _is_graph_capture():
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()


def arch_of(arguments):
    """Returns the device of the first tensor among the arguments: sm_90, gfx942, cpu, ..."""
    for value in arguments.values():
        device = getattr(value, "device", None)
        if getattr(device, "type", None) == "cuda":
            torch = sys.modules["torch"]
            properties = torch.cuda.get_device_properties(device)
            if torch.version.hip:
                return properties.gcnArchName.partition(":")[0]
            return f"sm_{properties.major}{properties.minor}"  # with CUDA, gcnArchName is the device's name
    return "cpu"


def bytes_of(array):
    if array is None:
        return 0
    if isinstance(array, _tensors.View):
        return bytes_of(array.array)
    if hasattr(array, "element_size"):
        return array.numel() * array.element_size()
    return getattr(array, "nbytes", 0)


def _in_words(value):
    if _tensors.is_array(value) and hasattr(value, "shape"):
        return f"{str(getattr(value, 'dtype', '')).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_in_words, value[:8])) + (", ..." if len(value) > 8 else "") + "]"
    return (
        str(value)[:60]
        if isinstance(value, (int, float, str, type(None))) or "torch" in type(value).__module__
        else type(value).__name__
    )


def left_out_lines(left_out, shapes):
    lines = []
    for op, reasons in sorted(left_out.items()):
        lines += [f"  left out {count:5} of {op}: {reason}" for reason, count in reasons.items()]
    if shapes:
        calls = sum(shapes.values())
        lines.append(f"  of {calls} calls, only the shapes were counted; combinations of shapes: {len(shapes)}, listed in capture.json")
    return lines


def _versions():
    from importlib import metadata

    found = {"python": ".".join(map(str, sys.version_info[:3])), "platform": os.uname().machine}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            pass
    return found
