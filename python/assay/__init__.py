"""Assay: checks whether the outputs of a low-precision kernel are allowed by its contract. See docs/guides/python.md.

assay.judge("vllm.group_fp8", x=x, q=q, scale=s)    outputs that you have
assay.run(kernel, suite="quick")                    your kernel on the inputs of the suite
assay.inputs(case)                                  inputs of one case
assay.capture(folder)                               calls of a running model, for assay.judge_capture(folder)
"""

from ._judge import check, contract, explain, judge, match, scale
from ._library import open_contracts
from ._result import ConformanceError, Match, Power, Result, ScaleCheck, WeakDataError, WeakDataWarning
from ._tensors import view

__version__ = "0.1.0"
_LATER = {
    "inputs": "_cases",
    "cases": "_cases",
    "Case": "_cases",
    "kernel": "_kernel",
    "Kernel": "_kernel",
    "run": "_run",
    "Run": "_run",
    "storage": "_arrays",
    "capture": "_capture",
    "Capture": "_capture",
    "judge_capture": "_captured",
    "Captured": "_captured",
}
__all__ = [
    "check",
    "contract",
    "explain",
    "judge",
    "match",
    "open_contracts",
    "scale",
    "view",
    "ConformanceError",
    "Match",
    "Power",
    "Result",
    "ScaleCheck",
    "WeakDataError",
    "WeakDataWarning",
    *_LATER,
]


def __getattr__(name):
    """Imports modules that need numpy or start processes at their first use."""
    if name not in _LATER:
        raise AttributeError(f"module 'assay' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module("." + _LATER[name], __name__), name)
    globals()[name] = value
    return value
