"""Checks of existing outputs: judge, check, match, explain, scale."""

import functools

from . import _library, _tensors
from ._result import ConformanceError, Match, Result, ScaleCheck, Text


@functools.lru_cache(maxsize=None)
def contract(name):
    """Returns a dict: the ops that have the contract, and the tensors, parameters and case-table columns of each op."""
    return _library.ask("contract", name.encode()).data


def cell(value):
    """Returns the text that a case table has for a parameter: "128" for 128, "1e-6" for 1e-6."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = f"{value:g}" if float(f"{value:g}") == value else repr(value)
        mantissa, e, exponent = text.partition("e")
        return f"{mantissa}e{int(exponent)}" if e else text
    return str(value)


def split(arguments):
    """Divides keyword arguments into tensors and parameters; ignores arguments that are None."""
    tensors, parameters = [], {}
    for name, value in arguments.items():
        if value is None:
            continue
        if name in ("rtol", "atol", "tolerance", "equal_nan"):
            raise TypeError(
                f"{name}: Assay has no tolerances. The contract says which codes a correct kernel may store; "
                "see docs/accepted-intervals.md"
            )
        if _tensors.is_array(value):
            tensors.append(_tensors.describe(name, value))
        elif isinstance(value, (int, float, str)):
            parameters[name] = cell(value)
        elif hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
            parameters[name] = cell(value.item())
        else:
            raise ValueError(f"{name!r}: is a {type(value).__name__}; expected an array, or a number or text for a parameter")
    return tensors, parameters


def _judge(contract, demand_power, layout, arguments, stacklevel):
    tensors, parameters = split(arguments)
    request, keep = _library.request(contract, tensors, parameters, layout, with_power=True)
    result = Result(_library.ask("judge", request))
    del keep
    result.warn_if_weak(demand_power, stacklevel + 1)
    return result


def judge(contract, *, demand_power=False, layout=None, **tensors_and_parameters):
    """Compares outputs with the codes that a contract accepts for these inputs.

        assay.judge("vllm.group_fp8", x=x, q=q, scale=s, group_size=128)

    Inputs and outputs have the op's tensor names, which assay.contract(name) lists. Other arguments are parameters that do not
    follow from tensors, such as eps. Returns a Result. Warns with WeakDataWarning if the inputs expose fewer than half of the
    contract's mutants; demand_power=True raises WeakDataError instead. layout: the layout of the scale tensor, needed if several
    layouts have its shape.
    """
    return _judge(contract, demand_power, layout, tensors_and_parameters, 2)


def check(contract, *, demand_power=False, layout=None, **tensors_and_parameters):
    """Does what judge() does, and raises AssertionError with the report if the outputs do not conform."""
    result = _judge(contract, demand_power, layout, tensors_and_parameters, 2)
    if not result:
        raise ConformanceError(result.text)
    return result


def match(*, op=None, layout=None, **tensors_and_parameters):
    """Finds the contracts that these tensors obey. op: tries only contracts of this op. Returns a Match."""
    tensors, parameters = split(tensors_and_parameters)
    request, keep = _library.request(op, tensors, parameters, layout)
    answer = _library.ask("match", request)
    del keep
    return Match(answer)


def explain(contract, *, element=None, layout=None, **tensors_and_parameters):
    """Returns a text: the contract as formulas, and the result of each step for one element.

    element: (row, column) of the element; default: the element with the largest error.
    """
    tensors, parameters = split(tensors_and_parameters)
    request, keep = _library.request(contract, tensors, parameters, layout)
    row, column = element if element is not None else (-1, 0)
    answer = _library.ask("explain", request, int(row), int(column))
    del keep
    return Text(answer.text)


def scale(tensor, /, *, ue8m0=False, layout=None, **m_n_groups_group_size):
    """Looks for NaN, packing mistakes, stale padding and transposition in a single tensor of scales. ue8m0: True if the kernel
    that reads the scales requires powers of two. Returns a ScaleCheck."""
    _, parameters = split(m_n_groups_group_size)
    request, keep = _library.request(None, [_tensors.describe("scale", tensor)], parameters, layout)
    answer = _library.ask("scale", request, int(ue8m0))
    del keep
    return ScaleCheck(answer)
