"""The pytest plug-in: cases of the suite as parameters of a test.

    @pytest.mark.assay("vllm.group_fp8*")
    def test_my_quant(assay_case):
        q, scale = my_quant(assay_case.inputs["x"], assay_case.parameters["group_size"])
        assay_case.check(q=q, scale=scale)

Arguments of the marker: globs over contracts, or over case ids if they have a '/'; tier="quick"; framework="numpy"; device;
known={glob over case ids: reason} for cases that are known to fail: the test of such a case must fail. The ini option
assay_known_failures names a file of such cases, with "glob  reason" on each line.
"""

import fnmatch
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

_Refused = pytest.Collector.CollectError  # printed without a traceback
_KINDS = ("html", "junit", "json", "csv", "md")


def pytest_addoption(parser):
    group = parser.getgroup("assay")
    group.addoption(
        "--assay-report",
        action="append",
        default=[],
        metavar="KIND:FILE",
        help="report of all cases that were checked: html:F, junit:F, json:F, csv:F or md:F; may be repeated",
    )
    parser.addini("assay_known_failures", "file that lists the cases known to fail: each line has a glob over case ids and a reason")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "assay(contract, ..., tier='quick', framework='numpy', device=None, known=None): cases of these contracts"
    )
    config.stash[_reports] = reports = _Reports(config)
    for one in config.getoption("--assay-report"):
        kind, _, file = one.partition(":")
        if kind not in _KINDS or not file:
            raise pytest.UsageError(f"--assay-report {one}: expected KIND:FILE with one of {', '.join(_KINDS)}")
    if reports.wanted:
        config.pluginmanager.register(reports, "assay-reports")


def _known_failures(config, marker):
    """[(glob, reason)] from the ini file and the marker."""
    known = []
    file = config.getini("assay_known_failures")
    if file:
        path = Path(config.rootpath, file)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            glob, _, reason = line.partition("#")[0].strip().partition(" ")
            if glob and not reason.strip():
                raise _Refused(f"{path}:{number}: expected a glob over case ids and a reason, got {line.strip()!r}")
            if glob:
                known.append((glob, reason.strip()))
    return known + list((marker.kwargs.get("known") or {}).items())


def _hint(pattern):
    """Returns a hint for a pattern of a marker that matches no case."""
    import difflib

    from . import _cases, _judge

    name = pattern.split("/")[1] if "/" in pattern else pattern
    if any(char in name for char in "*?["):
        return ""
    try:
        _judge.contract(name)
    except ValueError as error:
        return f": {error}"
    ids = _cases.cases(name, None)
    near = [] if any(char in pattern for char in "*?[") else difflib.get_close_matches(pattern, ids, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; assay.cases({name!r}, tier=None) lists {len(ids)} cases" if ids else "; the contract has no case"


def pytest_generate_tests(metafunc):
    if "assay_case" not in metafunc.fixturenames:
        return
    from . import _cases

    marker = metafunc.definition.get_closest_marker("assay")
    if marker is None or not marker.args:
        raise _Refused(f'{metafunc.definition.nodeid}: the fixture assay_case needs @pytest.mark.assay("CONTRACT")')
    ids = []
    for pattern in marker.args:
        found = _cases.cases(pattern, marker.kwargs.get("tier", "quick"))
        if not found:
            raise _Refused(f"{metafunc.definition.nodeid}: no case matches {pattern!r}{_hint(pattern)}")
        ids += [one for one in found if one not in ids]
    known = _known_failures(metafunc.config, marker)
    parameters = []
    for one in ids:
        marks = [pytest.mark.xfail(reason=reason, strict=True) for glob, reason in known if fnmatch.fnmatchcase(one, glob)][:1]
        parameters.append(pytest.param(one, marks=marks, id=one))
    metafunc.parametrize("assay_case", parameters, indirect=True)


@pytest.fixture
def assay_case(request):
    """The case of this test: inputs, parameters, outputs, judge() and check()."""
    from . import _cases

    marker = request.node.get_closest_marker("assay")
    case = _cases.Case(request.param, marker.kwargs.get("framework", "numpy"), marker.kwargs.get("device"))
    yield case
    request.config.stash[_reports].add(case)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shortens a report to its first line in pytest's summary, which prints whole messages if the variable CI is set."""
    outcome = yield
    from ._result import ConformanceError

    if call.excinfo is not None and isinstance(call.excinfo.value, ConformanceError):
        outcome.get_result().user_properties.append(("assay_cause", _cause(str(call.excinfo.value))))
        crash = getattr(outcome.get_result().longrepr, "reprcrash", None)
        if crash is not None:
            crash.message = crash.message.partition("\n")[0]


def _cause(text):
    """Returns the first cause of a report, without the counts that differ from case to case; if there is none, its reason or its first line."""
    import re

    for label in ("cause", "reason"):
        found = re.search(rf"^  {label} +(.*)$", text, re.M)
        if found:
            from ._run import mistake_of

            return mistake_of(found[1])
    return text.partition("\n")[0]


def pytest_terminal_summary(terminalreporter):
    """Prints failures by cause: fifty tests that fail for one cause are usually one bug."""
    causes = {}
    for report in terminalreporter.stats.get("failed", []):
        for cause in (value for name, value in report.user_properties if name == "assay_cause"):
            causes.setdefault(cause, []).append(report.nodeid)
    if causes:
        terminalreporter.section("assay: failed, by cause")
    for cause, tests in sorted(causes.items(), key=lambda item: -len(item[1])):
        terminalreporter.write_line(f"{len(tests):5}  {cause}")
        terminalreporter.write_line(f"       pytest '{tests[0]}'")


class _Reports:
    """Stores the outputs that tests checked as files; at the end of the session `assay judge` makes the reports from them."""

    def __init__(self, config):
        self.wanted = config.getoption("--assay-report")
        worker = getattr(config, "workerinput", None)
        self.is_worker = worker is not None
        self.folder = None
        if self.wanted:
            self.folder = Path(worker["assay_folder"] if self.is_worker else tempfile.mkdtemp(prefix="assay-report-"))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        """With pytest-xdist: the processes of one session share the folder."""
        node.workerinput["assay_folder"] = str(self.folder)

    def add(self, case):
        if not self.wanted or not case.results:
            return
        from . import _safetensors

        _, outputs = case.results[-1]
        place = self.folder / "all" / case.id
        place.mkdir(parents=True, exist_ok=True)
        _safetensors.write(place / "outputs.safetensors", {role.removesuffix("_out"): value for role, value in outputs.items()})
        (place / "id").write_text(case.id)

    def pytest_sessionfinish(self, session):
        if self.is_worker or self.folder is None:
            return
        try:
            ids = sorted(path.read_text() for path in (self.folder / "all").rglob("id"))
            if ids:
                self._write(ids)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, ids):
        import json

        from . import _library

        (self.folder / "all" / "inputs.json").write_text(json.dumps({"assay_inputs": 1, "cases": ids}))
        data = self.folder / "report.json"
        command = [_library.program(), "judge", str(self.folder / "all"), "--report", f"json:{data}"]
        for one in self.wanted:
            command += [] if one.startswith("md:") else ["--report", one]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if not data.exists():
            raise pytest.UsageError(f"--assay-report: {done.stdout}{done.stderr}")
        for one in self.wanted:
            if one.startswith("md:"):
                Path(one[3:]).write_text(markdown(json.loads(data.read_text())["verdicts"]))


_reports = pytest.StashKey()


def markdown(verdicts):
    """Returns a table of contracts and a table of failures, for a comment on a pull request."""
    counts = {}
    for one in verdicts:
        passed, failed = counts.get(one["contract"], (0, 0))
        counts[one["contract"]] = (passed + one["as_expected"], failed + (not one["as_expected"]))
    lines = [
        "| contract | right | wrong |",
        "|---|---|---|",
        *(f"| `{name}` | {a} | {b} |" for name, (a, b) in sorted(counts.items())),
    ]
    failures = [one for one in verdicts if not one["as_expected"]]
    if failures:
        lines += ["", "| case | cause |", "|---|---|"]
        for one in failures:
            cause = (one["causes"][0] if one["causes"] else one["message"]).replace("|", "\\|")
            lines.append(f"| `{one['case']}` | {cause} |")
    return "\n".join(lines) + os.linesep
