"""op_map.csv maps a call of an op to contracts, and the call's arguments to the contracts' tensors and parameters."""

import csv
import fnmatch
import functools
from pathlib import Path

from . import _tensors


class Entry:
    """A row of the map, or a spec that the caller of assay.capture passed.

    inputs, outputs: role -> expression; inputs are copied before the call, outputs after it. An expression is an argument's name
    or "return", then .N (item of a tuple), .T (transposed), .flat (one dimension) or .tiles (scales in tiles of 128 x 4, which
    the op has as 32 x 16); a+b concatenates two along columns. Tensors with more than two dimensions are flattened to rows.
    parameters: name -> expression, number or 'text'; "layout" is the layout of the scale tensor.
    when: expression -> glob over its value as text; such expressions may also end in .dtype, .numel or .last (the last extent);
    "arch" is sm_90, gfx942 or cpu.
    contracts: ids, best first; "{arch}" in an id is replaced. Calls that fit a row without contracts are not recorded.
    """

    def __init__(self, op, release, contracts, when, inputs, outputs, parameters):
        self.op, self.release, self.contracts, self.when = op, release, contracts, when
        self.inputs, self.outputs, self.parameters = inputs, outputs, parameters

    @classmethod
    def of_spec(cls, op, spec):
        """Makes an Entry from a dict with contract, inputs, outputs, parameters and when.

        A list of names in place of a dict maps each role to the argument of the same name.
        """
        unknown = set(spec) - {"contract", "inputs", "outputs", "parameters", "when"}
        if unknown or not spec.get("contract") or not spec.get("outputs") or not spec.get("inputs"):
            raise ValueError(
                f"assay.capture: spec of {op}: expected contract, inputs, outputs, and optionally parameters and when; "
                f"got {', '.join(map(str, spec)) or 'nothing'}"
            )
        contracts = spec["contract"]
        named = [
            dict(given) if isinstance(given, dict) else {name: name for name in given}
            for given in (spec.get(key, {}) for key in ("when", "inputs", "outputs", "parameters"))
        ]
        return cls(op, "", [contracts] if isinstance(contracts, str) else list(contracts), *named)

    @classmethod
    def of_row(cls, row):
        pairs = [dict(one.split("=", 1) for one in row[key].split()) for key in ("when", "inputs", "outputs", "parameters")]
        return cls(row["op"], row["release"], row["contracts"].split(), *pairs)

    def fits(self, arguments):
        return all(fnmatch.fnmatchcase(str(value_of(text, arguments)), glob) for text, glob in self.when.items())

    def contracts_on(self, arch):
        return [one.replace("{arch}", arch) for one in self.contracts]

    def array(self, role, text, arguments, returned=None):
        """Returns the tensor of a role, or None if the call has none. Dimensions before the last are flattened into rows."""
        value = value_of(text, arguments, returned)
        if value is None:
            return None
        if not _tensors.is_array(value):
            raise ValueError(f"argument {text!r} is a {type(value).__name__}; expected a tensor with role {role!r}")
        return value.reshape(-1, value.shape[-1]) if getattr(value, "ndim", 0) > 2 else value

    def number(self, text, arguments):
        if text.startswith("'"):
            return text.strip("'")
        try:
            return float(text) if "." in text or "e" in text else int(text)
        except ValueError:
            value = value_of(text, arguments)
        return value.item() if hasattr(value, "item") else value


def value_of(text, arguments, returned=None):
    """Returns the value of an expression, or None if a part of it is None. Raises ValueError if the op does not have an argument that the expression names."""
    if "+" in text:
        return _side_by_side([value_of(part, arguments, returned) for part in text.split("+")])
    first, *rest = text.split(".")
    if first != "return" and first not in arguments:
        raise ValueError(f"the op has no argument {first!r}; its row of op_map.csv (or its spec) describes another release")
    value = returned if first == "return" else arguments[first]
    for part in rest:
        if value is None:
            return None
        if part.isdigit():
            value = value[int(part)]
        elif part == "T":
            value = value.T
        elif part == "flat":
            value = value.reshape(-1)
        elif part == "tiles":
            value = value.reshape(4 * value.shape[0], value.shape[1] // 4)
        elif part == "dtype":
            value = str(value.dtype).removeprefix("torch.")
        elif part == "numel":
            value = functools.reduce(lambda a, b: a * b, value.shape, 1)
        elif part == "last":
            value = value.shape[-1]
        else:
            raise ValueError(f"{text!r}: expected .N, .T, .flat, .tiles, .dtype, .numel or .last after the name of an argument")
    return value


def _side_by_side(parts):
    import sys

    if any(part is None for part in parts):
        return None
    if type(parts[0]).__module__.partition(".")[0] == "torch":
        return sys.modules["torch"].cat(parts, dim=-1)
    import numpy

    return numpy.concatenate(parts, axis=-1)


@functools.lru_cache(maxsize=None)
def entries():
    """Returns the rows of op_map.csv by op."""
    found = {}
    with open(Path(__file__).with_name("op_map.csv"), newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["op"], []).append(Entry.of_row(row))
    return found
