"""python -m assay.libraries [NAME...]: which contracts do the ops of the installed libraries obey?

For each op that an adapter calls, it prints the contracts that the op obeys on the suite's cases, and the contracts that it
violates, with the cause. Then it prints the library's functions that no adapter calls. Without NAME: all libraries.
"""

import argparse
import contextlib
import importlib
import importlib.util
import re
import sys
import textwrap
import warnings

from . import _adapters, _adapters_cuda  # noqa: F401  importing _adapters_cuda registers its adapters
from ._abi import Bound
from ._capture import _matches_any
from ._cases import cases, inputs
from ._judge import judge
from ._run import mistake_of, run

_WORDS = r"quant|norm|scaled|silu|gelu|swiglu|geglu|to_mx|mxfp|downcast|fp8|float8"
_HIDDEN = re.compile(r"^_|backward|_out$|dot_product|fake|dequant|scaled_modified|supports_|get_|gen_|choose_qparams")
# library -> (distributions, module that shows that it is installed, modules and namespaces of torch.ops to list other ops from)
LIBRARIES = {
    "torch": (
        ["torch"],
        "torch",
        "torch.nn.functional:scaled_ aten::*scaled_*mm* aten::quantize_per* aten::*int8pack* aten::*int4pack*",
    ),
    "torchao": (
        ["torchao"],
        "torchao",
        "torchao.prototype.mx_formats.mx_tensor torchao.prototype.mx_formats.nvfp4_tensor "
        "torchao.quantization.quant_primitives torchao::*",
    ),
    "liger-kernel": (["liger-kernel"], "liger_kernel", "liger_kernel.ops:.*[Ff]unction"),
    "triton-kernels": (["triton"], "triton_kernels.numerics_details", "triton_kernels.numerics_details.mxfp"),
    "flashinfer-python": (["flashinfer-python"], "flashinfer", "flashinfer.norm flashinfer.activation flashinfer.quantization"),
    "transformer-engine": (["transformer-engine"], "transformer_engine", "transformer_engine.pytorch.tensor"),
    "vllm": (["vllm"], "vllm", "_C::*"),
    "sglang": (["sglang", "sglang-kernel"], "sglang", "sglang.kernels.ops.quantization sgl_kernel::*"),
    "amd-aiter": (["amd-aiter", "aiter"], "aiter", "aiter.ops.quant aiter.ops.rmsnorm aiter.ops.activation"),
}
_ALIASES = {
    "triton": "triton-kernels",
    "triton_kernels": "triton-kernels",
    "liger": "liger-kernel",
    "liger_kernel": "liger-kernel",
    "flashinfer": "flashinfer-python",
    "transformerengine": "transformer-engine",
    "transformer_engine": "transformer-engine",
    "te": "transformer-engine",
    "aiter": "amd-aiter",
    "sgl-kernel": "sglang",
}
_CONFORMS = ("pass", "untrusted")


def version(name):
    """Returns the version of an installed library; None if its distribution or its module is not installed."""
    from importlib import metadata

    distributions, module, _ = LIBRARIES[name]
    try:
        if importlib.util.find_spec(module) is None:
            return None
    except (ImportError, ValueError, AttributeError):
        return None
    for one in distributions:
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(one)
    return "(unknown version)"


def lacking(where):
    """Returns "needs a CUDA device" or similar, if this machine lacks the device that adapters with `where` need; otherwise ""."""
    if where == "any":
        return ""
    if _adapters.device() != "cuda":
        return "needs a CUDA device" if where != "gfx" else "needs an AMD device"
    import torch

    if where == "gfx":
        return "" if torch.version.hip else "needs an AMD device"
    if torch.version.hip:
        return "needs a CUDA device"
    have = torch.cuda.get_device_capability()
    wanted = {"cuda": (0, 0), "sm_90": (9, 0), "sm_100": (10, 0)}[where]
    fits = have == wanted if where == "sm_90" else have >= wanted
    return "" if fits else f"needs an {where} device; this machine has sm_{have[0]}{have[1]}"


def missing(calls):
    """Returns the first function of an adapter that the installed version lacks, and the error; "" if it has all of them."""
    for call in calls:
        try:
            if "::" in call:
                import torch

                _load(call.partition("::")[0])
                if not torch._C._dispatch_has_kernel(call) and call not in _ops_of_torch():
                    return f"{call}: this version has no such op"
            else:
                _adapters.function(call)
        except Exception as error:  # a library may raise any exception during its import
            return f"{call}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:160]
    return ""


def _load(namespace):
    """Imports the module that registers the torch ops of a namespace."""
    module = {"_C": "vllm._custom_ops", "sgl_kernel": "sgl_kernel", "torchao": "torchao"}.get(namespace)
    if module:
        importlib.import_module(module)


def _ops_of_torch():
    import torch

    return {name.partition(".")[0] for name in torch._C._dispatch_get_all_op_names()}


class Row:
    """Result of checking an op against one contract: numbers of `cases`, `wrong` cases and `skipped` cases, and the `cause` of most
    wrong cases."""

    def __init__(self, contract, verdicts):
        self.contract = contract
        self.skipped = sum(one["outcome"] == "skip" for one in verdicts)
        judged = [one for one in verdicts if one["outcome"] != "skip"]
        failed = [one for one in judged if one["outcome"] not in _CONFORMS]
        self.cases, self.wrong, self.cause = len(judged), len(failed), ""
        counts = {}
        for one in failed:
            words = one["causes"][0] if one["causes"] else one["message"] or "no known cause"
            words = mistake_of(words.partition("\n")[0])
            counts[words] = counts.get(words, 0) + 1
        if counts:
            self.cause = max(counts, key=counts.get)

    @property
    def obeys(self):
        return self.cases > 0 and self.wrong == 0


def check(adapter, suite="quick", report=()):
    """Returns the Rows of an adapter, one for each contract that its function may obey. Raises RuntimeError or ValueError if the run failed."""
    found = run(adapter.kernel, suite, report=report)
    rows = []
    for contract in adapter.kernel.contract_ids():
        verdicts = [one for one in found.verdicts if one["contract"] == contract]
        rows.append(Row(contract, verdicts or _borrowed(adapter.kernel, contract, suite)))
    return [row for row in rows if row.cases or row.skipped]


def _borrowed(kernel, contract, suite):
    """Returns verdicts for a contract without cases, on the inputs of another contract of the adapter. Runs in this process."""
    asked = next((ids for ids in (cases(one, suite) for one in kernel.contract_ids()) if ids), [])
    verdicts = []
    for one in asked:
        case = inputs(one, "torch", kernel.device)
        if case.op != kernel.op:
            continue
        outputs = Bound(kernel.function, kernel.arguments).returned(case)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                verdicts.append(judge(contract, **case.inputs, **outputs).verdict)
        except ValueError:  # another dtype than the contract's
            continue
    return verdicts


def _row_lines(rows):
    obeyed = [row for row in rows if row.obeys]
    for row in obeyed:
        yield f"    obeys     {row.contract:44} {row.cases} cases{f', {row.skipped} skipped' if row.skipped else ''}"
    for row in rows:
        if row.wrong:
            yield f"    violates  {row.contract:44} {row.wrong} of {row.cases} cases: {row.cause}"
    if not any(row.cases for row in rows):
        yield "    no verdict: the function refused every case"


def undescribed(name):
    """Returns the names of the library's functions that no adapter calls."""
    called = {one.replace(":", ".") if "::" not in one else one for a in _adapters.ADAPTERS.get(name, ()) for one in a.calls}
    found = []
    for place in LIBRARIES[name][2].split():
        if "::" in place:
            with contextlib.suppress(Exception):
                _load(place.partition("::")[0])
                ops = {one for one in _ops_of_torch() if _matches_any([one], place)}
                wanted = "" if place.startswith("aten") else _WORDS
                found += sorted(one for one in ops if re.search(wanted, one) and not _HIDDEN.search(one))
            continue
        module, _, words = place.partition(":")
        try:
            content = vars(importlib.import_module(module))
        except Exception:
            continue
        for attribute, value in sorted(content.items()):
            own = getattr(value, "__module__", "") or ""
            if callable(value) and own.partition(".")[0] == module.partition(".")[0] and re.search(words or _WORDS, attribute):
                if not _HIDDEN.search(attribute) and (not isinstance(value, type) or words):
                    found.append(f"{module}.{attribute}")
    return [one for one in dict.fromkeys(found) if one not in called]


def survey(name, suite="quick", report=(), ops=None, out=print):
    """Prints which contracts the functions of a library obey; returns {adapter: [Row]}."""
    have = version(name)
    if have is None:
        out(f"{name}: not installed")
        return {}
    adapters = [one for one in _adapters.ADAPTERS.get(name, ()) if not ops or ops in one.kernel.name]
    reasons = {lacking(one.device) for one in adapters}
    if adapters and all(reasons):
        out(f"{name} {have}: {', '.join(sorted(reasons))}")
        return {}
    out(f"{name} {have} on {_device_name()}")
    table = {}
    for adapter in adapters:
        why = lacking(adapter.device) or missing(adapter.calls)
        out(f"  {adapter.kernel.name}  ({_calls(adapter.calls)}){': ' + why if why else ''}")
        if why:
            continue
        try:
            table[adapter.kernel.name] = check(adapter, suite, report)
        except (RuntimeError, ValueError, TypeError) as error:
            out(f"    no verdict: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
            continue
        for line in _row_lines(table[adapter.kernel.name]):
            out(line)
    others = undescribed(name)
    if others:
        out(f"  {len(others)} more functions, which no adapter calls:")
        groups = {}
        for one in others:
            owner, mark, last = one.rpartition("::" if "::" in one else ".")
            groups.setdefault(owner + mark, []).append(last)
        for owner, names in groups.items():
            out(textwrap.fill(f"{owner} {', '.join(names)}", 130, initial_indent="    ", subsequent_indent="      "))
    return table


def _calls(calls):
    """Returns the names of the functions as text. If consecutive functions are in one module, only the first has its name."""
    words, before = [], None
    for one in calls:
        module, mark, name = one.partition(":")
        words.append(name if module == before and mark and not name.startswith(":") else one)
        before = module
    return ", ".join(words)


def _device_name():
    if _adapters.device() != "cuda":
        return "the CPU"
    import torch

    major, minor = torch.cuda.get_device_capability()
    return f"{torch.cuda.get_device_name()} (sm_{major}{minor})"


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m assay.libraries", description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"library to check: one of {', '.join(LIBRARIES)}; default: all")
    parser.add_argument("--suite", default="quick", help="tier of the cases: quick (default) or full")
    parser.add_argument("--op", metavar="TEXT", help="run only adapters whose name contains TEXT")
    given = parser.parse_args(arguments)
    names = [_ALIASES.get(one.lower(), one.lower()) for one in given.names] or list(LIBRARIES)
    for one, asked in zip(names, given.names or names):
        if one not in LIBRARIES:
            print(f"assay.libraries: unknown library {asked!r}; expected one of {', '.join(LIBRARIES)}", file=sys.stderr)
            return 2
    for one in names:
        survey(one, given.suite, ops=given.op)
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
