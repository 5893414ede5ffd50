"""python -m assay.libraries: its output for ops that obey, violate or are missing. A numpy library stands in for torch's."""

import contextlib
import importlib.util
import subprocess
import sys

import pytest

import assay
import five_ops
from assay import _adapters, libraries
from assay._kernel import Kernel


def table(*names):
    return subprocess.run([sys.executable, "-m", "assay.libraries", *names], capture_output=True, text=True)


@pytest.mark.parametrize("name", list(libraries.LIBRARIES))
def test_a_library_that_is_missing_has_one_line(name):
    module = libraries.LIBRARIES[name][1]
    with contextlib.suppress(ImportError):
        if importlib.util.find_spec(module) is not None:
            pytest.skip(f"{name} is installed")
    lines = []
    assert libraries.survey(name, out=lines.append) == {} and lines == [f"{name}: not installed"]


def test_exit_codes():
    done = table("no-such-library")
    assert done.returncode == 2 and "unknown library 'no-such-library'; expected one of torch, torchao" in done.stderr
    done = table("aiter", "vllm")
    assert done.returncode == 0 and [line.partition(":")[0] for line in done.stdout.splitlines()] == ["amd-aiter", "vllm"]


def test_a_device_that_is_missing_has_one_line(monkeypatch):
    monkeypatch.setitem(libraries.LIBRARIES, "vllm", (["numpy"], "numpy", "numpy"))
    monkeypatch.setattr(_adapters, "device", lambda: "cpu")
    lines = []
    libraries.survey("vllm", out=lines.append)
    assert len(lines) == 1 and lines[0].startswith("vllm ") and lines[0].endswith(": needs a CUDA device")


def quant(x, group_size):
    return five_ops.group_quant(x, group_size, reciprocal=False)


def cast_e4m3fn(x):
    import numpy as np

    with np.errstate(all="ignore"):
        return x.astype(five_ops.E4M3)


def of_numpy(monkeypatch, *adapters):
    monkeypatch.setitem(libraries.LIBRARIES, "fake", (["numpy"], "numpy", "five_ops:group|silu"))
    monkeypatch.setitem(_adapters.ADAPTERS, "fake", list(adapters))
    lines = []
    return libraries.survey("fake", out=lines.append), "\n".join(lines)


def test_contracts_that_an_op_obeys_and_violates(monkeypatch):
    kernel = Kernel(
        quant, "quant_group", ["vllm.group_fp8", "vllm.group_fp8@v0.33.0"], accepts={"layout": ["row"], "x": ["bf16"]}
    )
    found, text = of_numpy(monkeypatch, _adapters.Adapter(kernel, ["five_ops:group_quant"], "any"))
    first, second = found["quant"]
    assert first.obeys and first.cases > 5 and "obeys     vllm.group_fp8 " in text
    assert not second.obeys and "violates  vllm.group_fp8@v0.33.0" in text and "cases: code: mul(m) -> div(s)" in text
    assert "five_ops. group_quant_right" in text and "silu_and_mul" in text  # part of the library, but no adapter calls it
    assert " group_quant," not in text


def test_a_contract_without_cases_borrows_inputs(monkeypatch):
    """The kernel is ml_dtypes' cast, which does not saturate, as torch before 2.13. The first contract has no cases."""
    kernel = Kernel(cast_e4m3fn, "cast", ["torch.e4m3fn_sat@2.13", "torch.e4m3fn@2.11"])
    assert not assay.cases("torch.e4m3fn_sat@2.13", None)
    monkeypatch.setattr(libraries, "inputs", lambda case, framework, device: assay.inputs(case))
    found, text = of_numpy(monkeypatch, _adapters.Adapter(kernel, [], "any"))
    saturating, older = found["cast_e4m3fn"]
    assert older.obeys and saturating.contract == "torch.e4m3fn_sat@2.13" and saturating.wrong == saturating.cases > 0
    assert saturating.cause == "saturation: missing"


def test_functions_that_a_release_has_not_are_named(monkeypatch):
    kernel = Kernel(quant, "quant_group", "vllm.group_fp8")
    _, text = of_numpy(monkeypatch, _adapters.Adapter(kernel, ["five_ops:was_renamed"], "any"))
    assert "quant  (five_ops:was_renamed): five_ops:was_renamed: AttributeError" in text


def test_adapters_can_be_found_by_a_worker_and_name_contracts_that_exist():
    for library, adapters in _adapters.ADAPTERS.items():
        assert library in libraries.LIBRARIES and adapters
        for one in adapters:
            assert one.kernel.place() == f"{one.kernel.__module__}:{one.kernel.name}", one.kernel.name
            assert one.kernel.contract_ids()
    assert set(libraries.LIBRARIES) == set(_adapters.ADAPTERS)


def test_an_op_of_torch_obeys_its_contract():
    pytest.importorskip("torch", reason="torch is not installed")
    done = table("torch", "--op", "cast_e8m0fnu")
    assert done.returncode == 0 and "obeys     torch.e8m0@2.11" in done.stdout, done.stdout + done.stderr


def test_python_code_of_a_package_that_cannot_be_imported_is_read(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    (tmp_path / "half_built/deep").mkdir(parents=True)
    (tmp_path / "half_built/__init__.py").write_text("import a_compiled_part_that_is_missing\n")
    code = "import missing\nclass Ref(missing.Base):\n  @staticmethod\n  def twice(x: missing.T): return x + other(x)\n"
    code += "def other(x): return x\n"
    (tmp_path / "half_built/deep/ref.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    assert _adapters.function("half_built/deep/ref.py:Ref.twice")(torch.ones(2)).tolist() == [2, 2]
    assert libraries.missing(["half_built/deep/ref.py:Ref.twice"]) == ""
    assert "AttributeError" in libraries.missing(["half_built/deep/ref.py:Ref.thrice"])
    assert "ModuleNotFoundError" in libraries.missing(["half_built.deep.ref:Ref.twice"])
    assert "no package no_such_package" in libraries.missing(["no_such_package/ref.py:Ref"])
