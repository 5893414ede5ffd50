"""assay.judge_capture: checks the calls that assay.capture recorded."""

import json
import shlex
import sys
from pathlib import Path

from . import _library, _safetensors
from ._capture import left_out_lines
from ._judge import cell
from ._result import Result

_CONFORMS = ("pass", "untrusted")


class Call:
    """The verdict on a recorded call. True in a condition if the call conforms.

    op, number: the op, and the number of the call in the capture
    contract: the contract that the call obeys, else the contract with the fewest wrong elements
    result: a Result; None if there is no verdict, and then `refused` says why
    obeys: other contracts of the op that the call obeys, if it obeys none of the requested contracts
    """

    def __init__(self, said, folder):
        self.op, self.number, self.arch, self.said, self.folder = said["op"], said["number"], said["arch"], said, folder
        self.contract, self.result, self.refused, self.obeys = "", None, "", []

    def __bool__(self):
        return self.result is not None and self.result.outcome in _CONFORMS

    def command(self):
        """Returns a command line of `assay` that makes the same check and prints a longer report."""
        words = ["assay", "judge", str(self.folder / "tensors.safetensors"), "--contract", self.contract]
        for name, value in self.said["parameters"].items():
            if name == "layout":
                words += ["--layout", value]
                continue
            words += ["--param", f"{name}={cell(value)}"]
        return shlex.join(words)

    def judge(self, contracts):
        tensors = _safetensors.read(self.folder / "tensors.safetensors", self.said["tensors"])
        described = [one.described(role) for role, one in tensors.items()]
        parameters = {name: cell(value) for name, value in self.said["parameters"].items()}
        layout, wrong = parameters.pop("layout", None), None
        for contract in contracts:
            request, keep = _library.request(contract, described, parameters, layout, with_power=True)
            try:
                result = Result(_library.ask("judge", request))
            except ValueError as error:
                self.refused = self.refused or str(error)
                continue
            outside = sum(one["outside"] for one in result.tensors)
            if result.outcome in _CONFORMS or wrong is None or outside < wrong:
                self.contract, self.result, wrong = contract, result, outside
            if result.outcome in _CONFORMS:
                break
            del keep
        if self.result is not None and not self:
            request, keep = _library.request(self.result.op, described, parameters, layout)
            try:
                self.obeys = [
                    one["contract"] if isinstance(one, dict) else one for one in _library.ask("match", request).data["obeys"]
                ]
            except (ValueError, RuntimeError):
                pass
        return self


class Captured:
    """Verdicts on a capture. True in a condition if there are calls and all conform.

    calls: list of Call; failures: the calls that violate their contracts; refused: the calls without a verdict; text: the report
    """

    def __init__(self, folder, about, calls):
        self.folder, self.about, self.calls = folder, about, calls
        self.failures = [one for one in calls if one.result is not None and not one]
        self.refused = [one for one in calls if one.result is None]
        self.text = "\n".join(self._lines())

    def __bool__(self):
        return bool(self.calls) and all(self.calls)

    def __str__(self):
        return self.text

    def __repr__(self):
        return (
            f"<assay.Captured {self.folder}: {len(self.calls)} calls, {len(self.failures)} violate their contracts, "
            f"{len(self.refused)} without a verdict>"
        )

    def _lines(self):
        versions = ", ".join(
            f"{name} {version}" for name, version in self.about.get("packages", {}).items() if name != "platform"
        )
        yield f"{self.folder}: {len(self.calls)} calls ({versions})"
        if not self.about.get("complete"):
            yield "  the capture did not end normally: calls may be missing"
        groups = {}
        for one in self.calls:
            groups.setdefault(
                (one.op, one.contract, bool(one), one.refused if one.result is None else ""), []
            ).append(one)
        for (op, contract, conforms, refused), calls in groups.items():
            count = f"{len(calls)} call{'s' if len(calls) > 1 else ''} on {calls[0].arch}"
            if refused:
                yield f"  ?     {op}: {count}, no verdict: {refused}"
                continue
            seen, faults = sorted(one.result.power.seen for one in calls), max(one.result.power.faults for one in calls)
            span = f"{seen[0]} to {seen[-1]}" if seen[-1] > seen[0] else seen[0]
            power = f"; inputs expose {span} of {faults} mutants" if faults else ""
            yield f"  {'pass' if conforms else 'FAIL'}  {op}: {count} {'obey' if conforms else 'violate'} {contract}{power}"
            if not conforms:
                yield from self._failure(calls[0])
        yield from left_out_lines(self.about.get("left_out", {}), self.about.get("shapes", {}))

    @staticmethod
    def _failure(call):
        for tensor in call.result.tensors:
            if tensor["outside"]:
                wrong = f"{tensor['outside']} of {tensor['elements']} elements outside their accepted set"
                yield f"          call {call.number}: {tensor['name']} {tensor['shape']}: {wrong}"
        for cause in call.result.causes[:2]:
            yield f"          cause: {cause}"
        if call.obeys:
            yield f"          obeys instead: {', '.join(call.obeys[:4])}{', ...' if len(call.obeys) > 4 else ''}"
        yield f"          {call.command()}"


def judge_capture(folder, contract=None):
    """Checks each recorded call against the contracts of its op, one after the other, until it obeys one.

    contract: the only contract to check, instead of the contracts of the op. Needs neither torch nor a GPU.
    Returns a Captured."""
    folder = Path(folder)
    try:
        about = json.loads((folder / "capture.json").read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}: expected a folder that assay.capture wrote: {error}") from None
    version = about.get("assay_capture") if isinstance(about, dict) else about
    if version != 1 or not isinstance(about, dict):
        raise ValueError(f"{folder / 'capture.json'}: assay_capture: expected version 1, got {version!r}")
    calls = []
    for path in sorted(folder.glob("*/call.json")):
        try:
            said = json.loads(path.read_text())
            call = Call(said, path.parent)
            contracts = [contract] if contract else list(said["contracts"])
            said["tensors"], said["parameters"] = dict(said["tensors"]), dict(said["parameters"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: expected a file that assay.capture wrote ({type(error).__name__}: {error})") from None
        try:
            calls.append(call.judge(contracts))
        except (OSError, ValueError) as error:
            call.refused = str(error)
            calls.append(call)
    return Captured(folder, about, calls)


def main(folder):
    """assay judge FOLDER. Exit code: 0: all calls conform; 1: some do not, or have no verdict; 2: no capture or no calls."""
    try:
        found = judge_capture(folder)
    except ValueError as error:
        print(f"assay: {error}", file=sys.stderr)
        return 2
    print(found.text)
    return 0 if found else 1 if found.calls else 2
