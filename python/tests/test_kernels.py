"""Kernels in Python on the suite, cases as arrays and as files, the pytest plug-in."""

import json
import os
import re
import subprocess
import sys
import textwrap
from importlib import metadata
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import assay
import five_ops
from assay import _library, _safetensors

CASE = "quant_group/vllm.group_fp8/bf16.m5.n1024.g128.row/normal.s1/w32"
pytest_plugins = ["pytester"]


@pytest.mark.parametrize("kernel", five_ops.RIGHT, ids=lambda kernel: kernel.name)
def test_right_kernels_pass(kernel):
    run = assay.run(kernel)
    assert run and len(run.judged) > 10 and not run.in_process, run.text


@pytest.mark.parametrize("kernel, cause", five_ops.WRONG, ids=lambda value: getattr(value, "name", None))
def test_wrong_kernels_are_named(kernel, cause):
    run = assay.run(kernel)
    assert not run and max(run.causes, key=run.causes.get) == cause, run.text
    with pytest.raises(AssertionError, match="NOT AS EXPECTED"):
        run.check()


def closure(function):
    return assay.kernel(function, op="quant_group", contracts="vllm.group_fp8", accepts={"layout": ["row"]})


def test_closures_run_in_this_process_and_the_report_says_so():
    process = []

    @closure
    def mine(x, q, scale, group_size):
        process.append(os.getpid())
        q[...], scale[...] = five_ops.group_quant(x, group_size, True)

    run = assay.run(mine, cases=CASE)
    assert run.in_process and "python:in-process:mine" in run.text and "called in this process" in repr(run)
    assert set(process) == {os.getpid()} and "div(s) -> mul(1/s)" in run.text
    with pytest.raises(ValueError, match="cannot be imported by another process"):
        assay.run(mine, in_process=False)


def test_guard_zones_and_sentinels_see_what_python_writes():
    @closure
    def writes_behind(x, q, scale):
        q[...], scale[...] = five_ops.group_quant(x, 128, False)
        import ctypes

        ctypes.memset(scale.ctypes.data + scale.nbytes, 1, 4)

    @closure
    def leaves_a_row(x, q, scale):
        codes, scales = five_ops.group_quant(x, 128, False)
        q[:-1], scale[...] = codes[:-1], scales

    @closure
    def writes_input(x, q, scale):
        q[...], scale[...] = five_ops.group_quant(x, 128, False)
        x[0, 0] = 1

    @closure
    def wrong_shape(x):
        codes, scales = five_ops.group_quant(x, 128, False)
        return codes[:2], scales

    def report(kernel):
        return assay.run(kernel, cases=CASE).text

    assert "wrote outside 'scale': 4 bytes behind its end" in report(writes_behind)
    assert "output 'q': 1024 of 5120 elements were never written, first [4, 0]" in report(leaves_a_row)
    assert "ValueError: assignment destination is read-only (test_kernels.py:" in report(writes_input)
    assert "output 'q': the kernel returned float8_e4m3fn [2, 1024]; the case expects float8_e4m3fn [5, 1024]" in report(
        wrong_shape
    )


class Unsigned:
    """A callable of C that tells nothing about its arguments."""

    __signature__ = "none"

    def __call__(self, out, factor, x, size, codes):
        assert factor is None and size == 128
        codes[...], out[...] = five_ops.group_quant(x, size, True)


def test_arguments_are_named_for_callables_that_do_not_tell_them():
    offer = {"op": "quant_group", "contracts": "vllm.group_fp8", "accepts": {"layout": ["row"]}}
    with pytest.raises(ValueError, match="Python cannot read the kernel's signature; name its arguments in order: arguments="):
        assay.run(assay.kernel(Unsigned(), **offer), cases=CASE)
    named = assay.kernel(Unsigned(), arguments=["scale", None, "x", "group_size", "q"], **offer)
    assert "div(s) -> mul(1/s)" in assay.run(named, cases=CASE).text
    wrong = assay.kernel(Unsigned(), arguments=["scale", None, "x", "size", "q"], **offer)
    assert "the kernel's argument 'size' is neither a tensor nor a parameter of the call" in assay.run(wrong, cases=CASE).text


def test_invariance_tests_of_the_ladder_find_a_kernel_that_counts_its_calls():
    calls = []

    @closure
    def every_second_is_wrong(x, q, scale):
        calls.append(0)
        q[...], scale[...] = five_ops.group_quant(x, 128, len(calls) % 2 == 0)

    @closure
    def steady(x, q, scale):
        q[...], scale[...] = five_ops.group_quant(x, 128, False)

    assert assay.run(steady, cases=CASE, ladder=True)
    run = assay.run(every_second_is_wrong, cases=CASE, ladder=True)
    assert not run and "repeat" in run.text, run.text


CRASHES = """
import assay, ctypes, threading
@assay.kernel(op="quant_group", contracts="vllm.group_fp8")
def crashes(x, q, scale):
    ctypes.memset(q.ctypes.data + q.nbytes + 4096, 0, 1)
@assay.kernel(op="quant_group", contracts="vllm.group_fp8")
def hangs(x, q, scale):
    threading.Event().wait()
"""


def test_a_worker_survives_crashes_and_hangs_of_importable_kernels(tmp_path, monkeypatch):
    (tmp_path / "crashing_kernels.py").write_text(CRASHES)
    monkeypatch.syspath_prepend(tmp_path)
    import crashing_kernels

    run = assay.run(crashing_kernels.crashes, cases=CASE[:-3] + "*")
    assert [one["outcome"] for one in run.judged] == ["broken"] and "wrote 4096 bytes behind the end of 'q'" in run.text
    run = assay.run(crashing_kernels.hangs, cases=CASE, timeout=5)
    assert "hung: no answer within 5 s" in run.text


def test_the_report_repeats_in_a_shell_and_names_no_file_that_is_gone():
    run = assay.run(five_ops.WRONG[0][0])
    assert f"repro     ASSAY_PYTHON={sys.executable} PYTHONPATH=" in run.text and "wrote /" not in run.text
    assert run.failures[0]["repro"].startswith("ASSAY_PYTHON=")
    code, text = program("run", "--backend", "python:no_such_module:mine", "--suite", "quant_group/quick")
    assert code == 2 and "no_such_module" in text and "interpreter: " in text, text


def test_causes_are_counted_without_the_numbers_of_a_case():
    one = {"outcome": "fail", "as_expected": False, "message": ""}
    pair = "scale: a (needed for {}); and code: b (needed for {})"
    causes = [f"explains 9 of 9 failing elements: {pair}".format(a, b) for a, b in ((726, 22), (792, 23))]
    causes += ["explains only 8 of 9 failing elements and contradicts 1 right elements: scale: a (needed for 1); and code: b (needed for 9)"]
    causes += [f"probably floor ({text}; too few to assert)" for text in ("1 element fits", "2 elements fit")]
    causes += [f"pattern: q holds 0 ({n} of {n} wrong elements; q[i, j] holds what q[i, j - 1] should hold)" for n in (4, 5)]
    run = assay._run.Run({"verdicts": [{**one, "causes": [cause]} for cause in causes]}, "", 1, False, "")
    assert run.causes == {"scale: a; and code: b": 3, "probably floor": 2, "pattern: q holds 0": 2}


def test_wrong_declarations_are_refused():
    with pytest.raises(ValueError, match="did you mean"):
        assay.run(assay.kernel(lambda x: x, op="quant_group", contracts="vllm.group_fp9"))
    with pytest.raises(ValueError, match="is of op quant_group"):
        assay.run(assay.kernel(lambda x: x, op="rms_norm", contracts="vllm.group_fp8"))
    with pytest.raises(ValueError, match="no contract of op 'quant_group' matches 'none.\\*'"):
        assay.run(assay.kernel(lambda x: x, op="quant_group", contracts="none.*"))
    with pytest.raises(TypeError, match="@assay.kernel"):
        assay.run(len)
    text = assay.run(closure(lambda x, weight: x), cases=CASE).text
    assert "the kernel's argument 'weight' is neither a tensor nor a parameter of the call; there are: group_size, warp" in text


OWN_CONTRACT = """id,sum,depth,r,y,z,residual,w,since,until,source,why
acme.rms_norm,squares,"ceil(n,2048)/256+13",div(n) sqrt add(eps) rcp,mul(r) mul(w) to(x),,,,1.0,,norm.py,eps outside the root
"""
OWN_KERNELS = """
import assay, numpy as np

def norm(x, gamma, root):
    x = x.astype(np.float32)
    mean = (x.astype(np.float64) ** 2).mean(axis=1, keepdims=True).astype(np.float32)
    return (x * (np.float32(1) / root(mean)) * gamma.astype(np.float32)).astype(gamma.dtype)

@assay.kernel(op="rms_norm", contracts="acme.*")
def right(x, gamma, eps):
    return norm(x, gamma, lambda mean: np.sqrt(mean) + np.float32(eps))

@assay.kernel(op="rms_norm", contracts="acme.rms_norm")
def wrong(x, gamma, eps):
    return norm(x, gamma, lambda mean: np.sqrt(mean + np.float32(eps)))
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Tables and kernels of a contract of the user's own."""
    package = Path(assay.__file__).resolve().parent
    tables = [package / "_native/share/assay/suites", package.parents[1] / "suites"]  # installed, or in a checkout
    table = next(one for one in tables if one.is_dir()) / "rms_norm/cases/quick.csv"
    header, *rows = table.read_text().splitlines()
    rows = ["acme.rms_norm," + row.partition(",")[2] for row in rows if "vllm.rms_norm@2026-06-18,bf16" in row]
    (tmp_path / "acme.csv").write_text(OWN_CONTRACT)
    (tmp_path / "cases.csv").write_text("\n".join([header, *rows]) + "\n")
    (tmp_path / "own_kernels.py").write_text(OWN_KERNELS)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("own_kernels", None)
    import own_kernels

    return own_kernels, {"contracts_file": tmp_path / "acme.csv", "cases_file": tmp_path / "cases.csv"}


def test_a_kernel_has_a_contract_of_its_own(own):
    kernels, tables = own
    run = assay.run(kernels.right, **tables)
    assert run and len(run.judged) == 15 and not run.in_process, run.text
    run = assay.run(kernels.wrong, **tables)
    assert not run and list(run.causes) == ["r: add(eps) before sqrt"], run.text
    here = assay.kernel(lambda x, gamma, eps: kernels.wrong(x, gamma, eps), op="rms_norm", contracts="acme.rms_norm")
    run = assay.run(here, **tables)
    assert run.in_process and list(run.causes) == ["r: add(eps) before sqrt"], run.text


def test_wrong_tables_of_ones_own_are_refused(own, tmp_path):
    kernels, tables = own
    with pytest.raises(ValueError, match="pass a case table with cases_file"):
        assay.run(kernels.right, contracts_file=tables["contracts_file"])
    with pytest.raises(ValueError, match="no contract of op 'rms_norm' matches 'acme"):
        assay.run(kernels.right, cases_file=tables["cases_file"])
    with pytest.raises(ValueError, match="has no column 'id'"):
        assay.run(kernels.right, contracts_file=tables["cases_file"], cases_file=tables["cases_file"])
    (tmp_path / "misspelled.csv").write_text(OWN_CONTRACT.replace(" sqrt", " squrt"))
    with pytest.raises(ValueError, match="unknown verb 'squrt'; did you mean"):
        assay.run(kernels.right, contracts_file=tmp_path / "misspelled.csv", cases_file=tables["cases_file"])


def test_a_process_opens_contracts_of_ones_own_once(own):
    kernels, tables = own
    script = """
import sys, assay
assay.open_contracts(sys.argv[1])
print(assay.contract("acme.rms_norm")["ops"][0]["op"])
assay.open_contracts(sys.argv[1])
try:
    assay.open_contracts(sys.argv[1], sys.argv[1])
except ValueError as error:
    print(error)
"""
    command = [sys.executable, "-c", script, str(tables["contracts_file"])]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert told[0] == "rms_norm" and "a process can open only one set of tables" in told[1]
    command = [sys.executable, "-c", "import assay; print(assay.contract('acme.rms_norm')['contract'])"]
    environment = {**os.environ, "ASSAY_CONTRACTS": str(tables["contracts_file"])}
    assert subprocess.run(command, capture_output=True, text=True, env=environment).stdout.strip() == "acme.rms_norm"
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode != 0 and "unknown contract 'acme.rms_norm'" in told.stderr


def test_cases_hand_out_inputs():
    case = assay.inputs(CASE)
    assert (
        case.parameters["group_size"] == 128
        and case.inputs["x"].dtype == ml_dtypes.bfloat16
        and case.outputs["q"]["shape"] == [5, 1024]
    )
    q, scale = five_ops.group_quant(case.inputs["x"], 128, False)
    assert case.check(q=q, scale=scale).case == CASE
    assert case.judge(q=q, scale=scale * 2).outcome == "fail"
    with pytest.raises(ValueError, match="scale"):
        case.judge(q=q)
    with pytest.raises(ValueError, match="tensor 'y': is not an output"):
        case.judge(q=q, scale=scale, y=q)
    with pytest.raises(ValueError, match="no case"):
        assay.inputs("quant_group/none")
    assert assay.cases("vllm.group_fp8") == assay.cases("quant_group/vllm.group_fp8/*") and CASE in assay.cases("vllm.group_fp8")


def program(*arguments):
    done = subprocess.run([_library.program(), *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_files_of_inputs_are_judged_with_the_outputs_beside_them(tmp_path):
    folder = tmp_path / "inputs"
    assert (
        program("inputs", "--case", "quant_group/vllm.group_fp8/bf16.m5.n1024.g128.row/n*", "--warp", 32, "--output", folder)[0]
        == 0
    )
    ids = json.loads((folder / "inputs.json").read_text())["cases"]
    assert CASE in ids
    for reciprocal, code in ((False, 0), (True, 1)):
        for one in ids:
            call = json.loads((folder / one / "call.json").read_text())
            assert call["kernel_parameters"]["group_size"] == 128
            q, scale = five_ops.group_quant(assay.inputs(one).inputs["x"], 128, reciprocal)
            _safetensors.write(folder / one / "outputs.safetensors", {"q": q, "scale": scale})
        got, text = program("judge", folder)
        assert got == code and ("div(s) -> mul(1/s)" in text) == reciprocal, text
    (folder / ids[0] / "outputs.safetensors").unlink()
    assert "BUT INCOMPLETE: 1 of" in program("judge", folder)[1]
    (folder / ids[0] / "outputs.safetensors").write_bytes(b"x" * 100)
    assert "no verdict: " in program("judge", folder)[1]
    (folder / "inputs.json").write_text('{"assay_inputs": 2, "cases": []}')
    assert program("judge", folder)[0] == 2


TEST_FILE = """
    import assay, five_ops, pytest

    @pytest.mark.assay(PATTERNS, known={"*specials*": "NaN is not handled"})
    def test_quant(assay_case):
        if assay_case.cell["layout"] != "row":
            pytest.skip("another layout")
        size = assay_case.parameters["group_size"]
        q, scale = five_ops.group_quant(assay_case.inputs["x"], size, reciprocal=RECIPROCAL)
        assay_case.check(q=q, scale=scale)
"""


def pytest_of(pytester, monkeypatch, text, *arguments, patterns="*m5.n1024.g128.row/normal.s1/*"):
    text = text.replace("PATTERNS", repr("quant_group/vllm.group_fp8/" + patterns))
    paths = [
        os.path.dirname(os.path.dirname(assay.__file__)),
        os.path.dirname(five_ops.__file__),
        *filter(None, [os.environ.get("PYTHONPATH")]),
    ]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    pytester.makepyfile(textwrap.dedent(text))
    plugin = [] if is_installed() else ["-p", "assay.pytest_plugin"]
    return pytester.runpytest_subprocess(*plugin, "-p", "no:cacheprovider", *arguments)


def is_installed():
    """pytest loads the plug-in of an installed package by itself, and refuses to load it twice."""
    try:
        return bool(metadata.version("assay"))
    except metadata.PackageNotFoundError:
        return False


def test_plugin_reports_once_and_writes_reports(pytester, monkeypatch):
    monkeypatch.setenv("CI", "true")  # here pytest's summary repeats whole messages
    result = pytest_of(
        pytester,
        monkeypatch,
        TEST_FILE.replace("RECIPROCAL", "True"),
        "--assay-report",
        "md:r.md",
        "--assay-report",
        "junit:r.xml",
        "--assay-report",
        "html:r.html",
    )
    result.assert_outcomes(failed=1)
    assert str(result.stdout).count("cause     explains") == 1 and f"[{CASE}]" in str(result.stdout)
    result.stdout.fnmatch_lines(["*assay: failed, by cause*", "    1  code: div(s) -> mul(1/s)*", f"       pytest '*[[]{CASE}]'"])
    table = (pytester.path / "r.md").read_text()
    assert "| `vllm.group_fp8` | 0 | 1 |" in table and "mul(1/s)" in table
    assert "<failure" in (pytester.path / "r.xml").read_text() and "<html" in (pytester.path / "r.html").read_text()


def test_plugin_makes_known_failures_strict(pytester, monkeypatch):
    """The kernel handles NaN, so the known failure passes, and that is reported."""
    result = pytest_of(pytester, monkeypatch, TEST_FILE.replace("RECIPROCAL", "False"), patterns="*m5.n1024.g128.row/*s.s1/*")
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["*XPASS(strict)*NaN is not handled*"])
    pytester.makeini("[pytest]\nassay_known_failures = known.txt\n")
    (pytester.path / "known.txt").write_text("# slow to mend\n*normal*  rounds the reciprocal\n")
    pytest_of(pytester, monkeypatch, TEST_FILE.replace("RECIPROCAL", "True")).assert_outcomes(xfailed=1)


def outcomes(result):
    """Case ids by outcome, from the lines of -rA, and the lines of -v that name a worker."""
    found, workers = {}, set()
    for line in str(result.stdout).splitlines():
        summary = re.match(r"(PASSED|FAILED|XFAIL|SKIPPED) \S+::test_quant\[(\S+)\]", line)
        if summary:
            found.setdefault(summary[1], set()).add(summary[2])
        workers.update(re.findall(r"^\[(gw\d+)\]", line))
    return found, workers


def test_plugin_works_with_xdist(pytester, monkeypatch):
    """Two processes give the same outcomes as one: test ids, -k, each report once, strict known failures, one report file."""
    pytest.importorskip("xdist")
    pytester.makeini("[pytest]\nassay_known_failures = known.txt\n")
    (pytester.path / "known.txt").write_text("*outliers*  rounds the reciprocal\n")
    text, names = TEST_FILE.replace("RECIPROCAL", "True"), ("normal", "specials", "zeros", "outliers")

    def run(file, *arguments):
        some = ["-v", "-rA", "-k", " or ".join(names), "--assay-report", f"md:{file}"]
        result = pytest_of(pytester, monkeypatch, text, *some, *arguments, patterns="*m5.n1024.g128.row/*")
        return str(result.stdout), *outcomes(result), (pytester.path / file).read_text()

    alone, expected, none, report = run("alone.md")
    shared, found, workers, shared_report = run("shared.md", "-n", "2")
    assert found == expected and not none and workers == {"gw0", "gw1"}, shared
    assert {one.split("/")[-2] for one in found["FAILED"]} == {"normal.s1", "specials.s1"} and CASE in found["FAILED"]
    assert {one.split("/")[-2] for one in found["XFAIL"]} == {"outliers.s1"} and len(found["PASSED"]) == 3
    for text in (alone, shared):
        assert text.count("cause     explains") == 1 and "[XPASS(strict)] NaN is not handled" in text, text
        assert text.count("assay: failed, by cause") == 1 and "    1  code: div(s) -> mul(1/s)" in text
    assert shared_report == report and CASE in report


def test_plugin_refuses_what_matches_nothing(pytester, monkeypatch):
    result = pytest_of(pytester, monkeypatch, TEST_FILE, patterns="none*")
    text = str(result.stdout) + str(result.stderr)
    assert "no case matches 'quant_group/vllm.group_fp8/none*'" in text and "_hooks.py" not in text
    typo = TEST_FILE.replace("PATTERNS", repr("vllm.group_fp8@v0.33"))
    text = str(pytest_of(pytester, monkeypatch, typo).stdout)
    assert "no case matches 'vllm.group_fp8@v0.33': unknown contract" in text and "did you mean 'vllm.group_fp8@v0.33.0'" in text
    assert "_hooks.py" not in text, "no traceback"
    assert "expected KIND:FILE" in str(pytest_of(pytester, monkeypatch, TEST_FILE, "--assay-report", "pdf:x").stderr)


def test_import_takes_no_time():
    code = "import time; t = time.perf_counter(); import assay, sys; print(time.perf_counter() - t, 'numpy' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(assay.__file__))}
    seconds, numpy = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert float(seconds) < 0.3 and numpy == "False"
