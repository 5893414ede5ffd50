"""assay.run: checks a Python kernel on the cases of the suite, as `assay run` checks a C library."""

import contextlib
import ctypes
import html
import json
import os
import re
import shlex
import site
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from . import _abi, _library
from ._kernel import Kernel
from ._result import ConformanceError


def mistake_of(cause):
    """Returns a cause without the numbers that differ from case to case, as first_mistake() of harness/report/causes.h does."""
    cause = re.sub(
        r"^explains (only )?\d+ of \d+ failing elements(, too few to be sure)?(, says nothing about \d+ more)?"
        r"( and contradicts \d+ right elements)?: ",
        "",
        cause,
    )
    return re.sub(r" \(\d+ of \d+ wrong elements[^()]*\)| \(needed for \d+\)| \(\d+ elements? fits?; too few to assert\)", "", cause)


class Run:
    """Results of a run. True in a condition if every verdict is as expected.

    verdicts: dicts, as in `assay run --report json`; failures: the verdicts that are not as expected; text: the printed report;
    in_process: True if the callable ran in this process, where a crash would have ended the process.
    """

    def __init__(self, data, text, code, in_process, repro):
        self.verdicts, self.text, self.exit_code, self.in_process, self.repro = data["verdicts"], text, code, in_process, repro
        self.judged = [one for one in self.verdicts if one["outcome"] != "skip"]
        self.failures = [one for one in self.verdicts if not one["as_expected"]]

    def __bool__(self):
        return self.exit_code == 0

    @property
    def causes(self):
        """Returns the number of failures by cause. If a failure has several causes, the first one counts."""
        counts = {}
        for one in self.failures:
            cause = one["causes"][0] if one["causes"] else one["message"] or "no known cause"
            cause = mistake_of(cause)
            cause = re.sub(r" at address 0x[0-9a-f]+|, in \S+\+0x[0-9a-f]+|; --in-process.*", "", cause)
            counts[cause] = counts.get(cause, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    def __repr__(self):
        causes = "".join(f"\n  {count:5}  {cause}" for cause, count in self.causes.items())
        where = ", called in this process" if self.in_process else ""
        return f"<assay.Run: {len(self.judged)} cases, {len(self.failures)} not as expected{where}>{causes}"

    def __str__(self):
        return self.text

    def _repr_html_(self):
        rows = "".join(
            f"<tr><td>{count}</td><td><code>{html.escape(cause)}</code></td></tr>" for cause, count in self.causes.items()
        )
        return (
            f"<p>{html.escape(repr(self).splitlines()[0][1:-1])}</p><table>{rows}</table>"
            f"<details><summary>report</summary><pre>{html.escape(self.text)}</pre></details>"
        )

    def check(self):
        """Raises AssertionError with the report unless every verdict is as expected."""
        __tracebackhide__ = True
        if not self:
            raise ConformanceError(self.text)
        return self


class _InProcess:
    """Calls the kernel in threads of this process, on behalf of the run's workers. A worker is then only a relay (worker.py): it
    sends its file descriptors to this process."""

    def __init__(self, kernel, own, folder):
        self.kernel, self.own, self.path = kernel, own, os.path.join(folder, "kernel")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            _, files, _, _ = socket.recv_fds(connection, 1, 2)
            library, name = _library.library(), f"in-process:{self.kernel.name}".encode()
            try:
                plugin = _abi.Plugin(self.kernel, self.own)
                library.assay_check_serve(ctypes.addressof(plugin.library), name, *files)
            except BaseException as error:
                library.assay_check_serve(None, f"{self.kernel.name}: {_abi._where(error)}".encode(), *files)
            finally:
                os.close(files[0])  # the C library owns the other one

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def _python_path(package):
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != package]
    return os.pathsep.join([package, *others])


def _needed_in_a_shell(package):
    """Returns the variables that a shell must set to repeat a case: this interpreter, and PYTHONPATH unless the package is installed."""
    installed = {os.path.realpath(path) for path in (*site.getsitepackages(), site.getusersitepackages())}
    words = ["ASSAY_PYTHON=" + shlex.quote(sys.executable)]
    if os.path.realpath(package) not in installed:
        words.append("PYTHONPATH=" + shlex.quote(_python_path(package)))
    return " ".join(words)


def _environment(kernel):
    environment = dict(os.environ)
    package = str(Path(__file__).resolve().parent.parent)
    environment["ASSAY_PYTHON"] = sys.executable
    environment["ASSAY_REPRO_ENVIRONMENT"] = _needed_in_a_shell(package)
    environment["ASSAY_PYTHON_PATH"] = os.pathsep.join(path for path in sys.path if path)
    environment["PYTHONPATH"] = _python_path(package)
    return environment


def _files(given):
    """Returns the absolute paths of a file or of a list of files. None gives an empty list."""
    files = [] if given is None else [given] if isinstance(given, (str, os.PathLike)) else list(given)
    return [os.path.abspath(file) for file in files]


def run(
    kernel,
    suite="quick",
    *,
    cases=None,
    in_process=None,
    report=(),
    repeat=1,
    ladder=False,
    timeout=60.0,
    known_failures=None,
    contracts_file=None,
    cases_file=None,
    echo=False,
):
    """Calls a Kernel with the inputs of the suite. Checks its outputs, guard zones, unwritten elements and changed inputs.

    suite: a tier, "quick" or "full"; cases: globs over case ids, instead of a tier. ladder=True adds determinism tests.
    repeat: number of calls of each case, which must return equal bits. timeout: seconds after which a call counts as hung.
    report: as --report of `assay run`, such as "html:report.html", or a list. known_failures: a known-failures list (CSV).
    in_process: True calls the kernel in this process, False in a worker process, which may crash; None uses a worker for kernels
    that can be imported, and this process for closures. contracts_file: one or several tables with contracts of your own;
    cases_file: one or several tables with cases, read instead of the suite's. echo=True prints the report while the run goes on.
    Returns a Run.
    """
    if not isinstance(kernel, Kernel):
        raise TypeError(f"assay.run: expected a function with @assay.kernel, got {type(kernel).__name__}")
    contract_tables, case_tables = _files(contracts_file) or _files(_library.own_tables()), _files(cases_file)
    own = _library.ids_in(contract_tables)
    contracts = kernel.contract_ids(own)  # refuses a glob that matches nothing
    without_cases = [one for one in contracts if one in own]
    if without_cases and not case_tables:
        missing = ", ".join(without_cases)
        raise ValueError(f"{kernel.name}: the suite has no cases of {missing}; pass a case table with cases_file=...")
    place = kernel.place()
    if in_process is None:
        in_process = place is None
    if not in_process and place is None:
        raise ValueError(f"{kernel.name}: cannot be imported by another process; use in_process=True")
    with tempfile.TemporaryDirectory(prefix="assay-") as folder, contextlib.ExitStack() as stack:
        environment = _environment(kernel)
        if contract_tables:
            environment[_library.OWN_CONTRACTS] = os.pathsep.join(contract_tables)
        backend = f"python:in-process:{kernel.name}" if in_process else f"python:{place}"
        if in_process:
            server = _InProcess(kernel, own, folder)
            stack.callback(server.close)
            environment["ASSAY_PYTHON_SOCKET"] = server.path
            del environment["ASSAY_REPRO_ENVIRONMENT"]  # no shell can repeat a call of this process
        command = [_library.program(), "run", "--backend", backend, "--timeout", str(timeout), "--repeat", str(repeat)]
        globs = (
            [cases]
            if isinstance(cases, str)
            else list(cases) if cases is not None else [] if case_tables else [f"{kernel.op}/{one}/*" for one in contracts]
        )
        # Runs all cases of the user's own tables: only then does the run report which mutants the cases expose together.
        for file in contract_tables:
            command += ["--contracts", file]
        for file in case_tables:
            command += ["--cases", file]
        command += ["--op", kernel.op] if case_tables else []
        for glob in globs:
            command += ["--case", glob]
        if cases is None and not case_tables:
            command += ["--suite", f"{kernel.op}/{suite}"]
        command += ["--ladder"] if ladder else []
        command += ["--ledger", os.fspath(known_failures)] if known_failures else []
        for one in ["console", f"json:{folder}/run.json", *([report] if isinstance(report, str) else report)]:
            command += ["--report", one]
        text = []
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process:
            for line in process.stdout:
                if line.startswith(f"wrote {folder}"):
                    continue  # this temporary file is deleted before the user reads the text
                text.append(line)
                if echo:
                    print(line, end="")
        text = "".join(text)
        file = Path(folder, "run.json")
        if process.returncode not in (0, 1) or not file.exists():
            raise (ValueError if process.returncode == 2 else RuntimeError)(
                text.strip() or f"assay run ended with exit code {process.returncode}"
            )
        data = json.loads(file.read_text())
    repro = "" if in_process else shlex.join(["ASSAY_PYTHON=" + sys.executable, *command])
    return Run(data, text, process.returncode, in_process, repro)
