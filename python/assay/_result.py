"""Answers to requests: results that a test, a notebook and a script can use."""

import html
import warnings


class WeakDataWarning(UserWarning):
    """Warns that the inputs expose fewer than half of the contract's mutants, so that a pass means little."""


class ConformanceError(AssertionError):
    """Raised for outputs that do not conform; the error's text is the report."""


class WeakDataError(AssertionError):
    """Raised with demand_power=True, where WeakDataWarning would warn otherwise."""


class Power:
    """Mutation score of the inputs: they expose `seen` of `faults` mutants; `blind_to` names the other mutants."""

    def __init__(self, data):
        self.faults, self.seen, self.blind_to = data.get("faults", 0), data.get("seen", 0), list(data.get("blind_to", []))

    def __repr__(self):
        return f"Power(seen={self.seen}, faults={self.faults})"

    @property
    def weak(self):
        return self.faults > 0 and 2 * self.seen < self.faults


class Result:
    """The verdict on outputs. True in a condition if the outcome is "pass".

    outcome: "pass", "fail", "untrusted" (right, but the inputs could not have exposed some mistakes) or "broken"
    causes: mutants of the contract's formulas that explain the wrong elements, best first
    obeys: other contracts of the op that the outputs obey; empty if they conform
    tensors: a dict for each output, with the same keys as `tensors` of `assay run --report json`
    power: mutation score of the inputs (a Power); text: the printed report
    """

    def __init__(self, answer):
        verdict = answer.data["verdicts"][0]
        self.text, self.verdict, self.notes = answer.text, verdict, list(answer.data.get("notes", []))
        self.obeys = list(answer.data.get("obeys", []))
        self.case, self.contract, self.op = verdict["case"], verdict["contract"], verdict["op"]
        self.outcome, self.message = verdict["outcome"], verdict["message"]
        self.causes, self.tensors, self.power = list(verdict["causes"]), list(verdict["tensors"]), Power(verdict.get("power", {}))

    def __bool__(self):
        return self.outcome == "pass"

    def __str__(self):
        return self.text

    def __repr__(self):
        wrong = sum(tensor["outside"] for tensor in self.tensors)
        return f"<assay.Result {self.outcome}: {self.case}, {wrong} wrong elements{', ' + self.causes[0] if self.causes else ''}>"

    def _repr_html_(self):
        rows = []
        for tensor in self.tensors:
            first = tensor.get("first")
            told = (
                ""
                if first is None
                else f"{first['at']}: got {first['code']} = {first['value']}, "
                f"accepted {first['low_code']} to {first['high_code']}"
            )
            cells = (tensor["name"], tensor["format"], tensor["shape"], tensor["elements"], tensor["outside"], told)
            rows.append("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>")
        head = "".join(f"<th>{name}</th>" for name in ("tensor", "dtype", "shape", "elements", "wrong", "first wrong element"))
        causes = "".join(f"<li><code>{html.escape(cause)}</code></li>" for cause in self.causes)
        power = f"<p>The inputs expose {self.power.seen} of {self.power.faults} mutants.</p>" if self.power.faults else ""
        colour = "#1a7f37" if self else "#cf222e"
        return (
            f"<div><b style='color:{colour}'>{html.escape(self.outcome.upper())}</b> <code>{html.escape(self.case)}</code>"
            f"<table><tr>{head}</tr>{''.join(rows)}</table>{'<ul>' + causes + '</ul>' if causes else ''}{power}"
            f"<details><summary>report</summary><pre>{html.escape(self.text)}</pre></details></div>"
        )

    def warn_if_weak(self, demand, stacklevel):
        if not self.power.weak:
            return
        blind = "; ".join(self.power.blind_to[:3]) + ("; ..." if len(self.power.blind_to) > 3 else "")
        words = (
            f"{self.case}: these inputs expose {self.power.seen} of {self.power.faults} mutants of {self.contract}; "
            f"not exposed: {blind}. "
            f"assay.inputs() returns inputs that expose them"
        )
        if demand:
            raise WeakDataError(words)
        warnings.warn(words, WeakDataWarning, stacklevel=stacklevel + 1)


class Text(str):
    """Text that a notebook or a shell displays without quotes and escapes."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


class Match:
    """The answer of match(). True in a condition if the tensors obey a contract.

    obeys: contracts that the tensors obey
    violates: pairs (contract, number of wrong elements) of the contracts that they violate
    not_asked: reason -> the contracts that were not compared for this reason
    """

    def __init__(self, answer):
        self.text, self.obeys = answer.text, list(answer.data["obeys"])
        self.violates = [(one["contract"], one["outside"]) for one in answer.data["not"]]
        self.not_asked = dict(answer.data["not_asked"])

    def __bool__(self):
        return bool(self.obeys)

    def __repr__(self):
        return self.text

    __str__ = __repr__


class ScaleCheck:
    """The answer of scale(). True in a condition if there are no findings.

    findings: texts, one for each mistake found in the tensor; notes: texts about other facts
    """

    def __init__(self, answer):
        self.text, self.notes = answer.text, list(answer.data["notes"])
        self.findings = [finding["what"] for finding in answer.data["findings"]]

    def __bool__(self):
        return not self.findings

    def __repr__(self):
        return self.text

    __str__ = __repr__
