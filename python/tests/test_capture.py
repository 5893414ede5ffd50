"""capture and judge_capture: which calls are recorded, which are left out and why. A model continues even if a recording fails."""

import json
import os
import subprocess
import sys
import threading
import types

import ml_dtypes
import numpy as np
import pytest

import assay
import five_ops
from assay import _capture, _library, _safetensors
from assay._op_map import Entry, entries, value_of

SPEC = {
    "contract": "vllm.group_fp8",
    "inputs": ["x"],
    "outputs": {"q": "return.0", "scale": "return.1"},
    "parameters": ["group_size"],
}


@pytest.fixture
def model(monkeypatch):
    """A module with kernels that other code imports by name too."""
    kernels, user = types.ModuleType("captured_kernels"), types.ModuleType("captured_user")

    def quant(x, group_size=128):
        q, scale = five_ops.group_quant(x.reshape(-1, x.shape[-1]), group_size, reciprocal=False)
        return q.reshape(x.shape), scale.reshape(*x.shape[:-1], -1)

    def wrong(x, group_size=128):
        return five_ops.group_quant(x, group_size, reciprocal=True)

    def add_in_place(x, residual, gamma, eps):
        residual[...] = (x.astype(np.float32) + residual.astype(np.float32)).astype(x.dtype)
        x[...] = five_ops.rms_norm(residual, gamma, eps, round_twice=True)

    def raises(x):
        raise RuntimeError("out of memory")

    for one in (quant, wrong, add_in_place, raises):
        setattr(kernels, one.__name__, one)
    user.quant = quant
    for module in (kernels, user):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return types.SimpleNamespace(kernels=kernels, user=user)


def numbers(rows=8, seed=1):
    return np.random.default_rng(seed).standard_normal((rows, 1024), dtype=np.float32).astype(ml_dtypes.bfloat16)


def test_calls_are_recorded_and_judged_offline(model, tmp_path):
    x = numbers(64)
    original = model.kernels.quant
    with assay.capture(tmp_path / "c", ops={"captured_kernels.quant": SPEC, "captured_kernels.wrong": SPEC}) as recorded:
        model.user.quant(x)  # imported by name elsewhere
        model.kernels.quant(x.reshape(4, 16, 1024), group_size=128)  # three dimensions become rows of the last one
        model.kernels.wrong(x)
    assert model.kernels.quant is original and model.user.quant is original
    assert recorded.recorded == {"captured_kernels.quant": 2, "captured_kernels.wrong": 1} and not recorded.left_out
    found = assay.judge_capture(tmp_path / "c")
    assert [bool(call) for call in found.calls] == [True, True, False] and not found
    assert found.calls[1].result.tensors[0]["shape"] == [64, 1024]
    assert "FAIL  captured_kernels.wrong: 1 call on cpu violate vllm.group_fp8; inputs expose" in found.text
    assert (
        "div(s) -> mul(1/s)" in found.text and "pass  captured_kernels.quant: 2 calls on cpu obey vllm.group_fp8" in found.text
    )
    # the printed command makes the same request to the program
    command = [_library.program(), *found.failures[0].command().split()[1:]]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "div(s) -> mul(1/s)" in done.stdout, done.stdout + done.stderr


def test_the_program_judges_folders_without_numpy(model, tmp_path):
    with assay.capture(tmp_path / "c", ops={"captured_kernels.quant": SPEC}):
        model.kernels.quant(numbers(64))
    code = "import sys; sys.argv.insert(1, 'judge'); sys.modules['numpy'] = None; from assay.__main__ import main; main()"
    for contract, wanted in (("vllm.group_fp8", 0), ("vllm.group_fp8@v0.33.0", 1)):
        (place,) = (tmp_path / "c").glob("*/call.json")
        place.write_text(json.dumps({**json.loads(place.read_text()), "contracts": [contract]}))
        environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(assay.__file__))}
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "c")], env=environment, capture_output=True, text=True
        )
        assert done.returncode == wanted and contract in done.stdout, done.stdout + done.stderr
    assert "obeys instead: vllm.group_fp8" in done.stdout


def test_in_place_tensors_are_copied_before_and_after(model, tmp_path):
    x, residual, gamma = numbers(seed=2), numbers(seed=3), numbers(1, seed=4)[0]
    spec = {
        "contract": "vllm.fused_add_rms_norm@v0.19.1",
        "inputs": ["x", "residual", "gamma"],
        "outputs": {"y": "x", "residual_out": "residual"},
        "parameters": ["eps"],
    }
    before = residual.copy()
    with assay.capture(tmp_path / "c", ops={"captured_kernels.add_in_place": spec}):
        model.kernels.add_in_place(x, residual, gamma, eps=1e-6)
        x[...] = 0  # later writes do not reach the recording
    (call,) = assay.judge_capture(tmp_path / "c").calls
    assert call.result.outcome == "pass", call.result.text
    tensors = _safetensors.read(call.folder / "tensors.safetensors", call.said["tensors"])
    assert tensors["residual"].content == before.tobytes() and tensors["residual_out"].content == residual.tobytes()


def test_strides_and_padding_are_kept(tmp_path):
    """Column-major scales with TMA padding are read from the storage, padding included."""
    storage = np.arange(8 * 12, dtype=np.float32)
    scale = np.ndarray((9, 8), np.float32, buffer=storage, strides=(4, 48))
    stored = _safetensors.Stored("scale", scale)
    assert not stored.plain and stored.content == storage.tobytes()
    _safetensors.write(tmp_path / "t", {"scale": stored})
    said = {"scale": {"dtype": "f32", "shape": [9, 8], "strides": [1, 12]}}
    assert _safetensors.read(tmp_path / "t", said)["scale"].content == storage.tobytes()
    with pytest.raises(ValueError, match="needs more"):
        _safetensors.read(tmp_path / "t", {"scale": {**said["scale"], "shape": [99, 8]}})
    (tmp_path / "t").write_bytes(b"\xff" * 64)
    with pytest.raises(ValueError, match="expected a file that assay.capture wrote"):
        _safetensors.read(tmp_path / "t", said)


def test_bounds_are_kept_and_told(model, tmp_path):
    x = numbers()
    with assay.capture(tmp_path / "calls", ops={"captured_kernels.quant": SPEC}, calls=2) as recorded:
        for _ in range(5):
            model.kernels.quant(x)
    assert recorded.recorded == {"captured_kernels.quant": 2}
    assert recorded.left_out == {"captured_kernels.quant": {"the limit calls=2 for each op is reached": 3}}
    assert "left out     3 of captured_kernels.quant: the limit calls=2" in repr(recorded)
    size = x.nbytes + x.size + 8 * 8 * 4
    with assay.capture(tmp_path / "bytes", ops={"captured_kernels.quant": SPEC}, max_bytes=2 * size) as recorded:
        for _ in range(3):
            model.kernels.quant(x)
    assert recorded.bytes == 2 * size and recorded.left_out == {
        "captured_kernels.quant": {f"its tensors would exceed the limit max_bytes={2 * size}, which is for all recorded calls together": 1}
    }
    assert "exceed" in assay.judge_capture(tmp_path / "bytes").text


def test_a_call_that_raises_raises_and_is_counted(model, tmp_path):
    with assay.capture(tmp_path / "c", ops={"captured_kernels.raises": SPEC | {"parameters": {}}}) as recorded:
        with pytest.raises(RuntimeError, match="out of memory"):
            model.kernels.raises(numbers())
        with pytest.raises(TypeError, match="missing"):
            model.kernels.raises()
    assert recorded.left_out == {"captured_kernels.raises": {"the call raised RuntimeError": 1}} and not recorded.recorded
    assert not assay.judge_capture(tmp_path / "c")


def test_what_cannot_be_recorded_never_reaches_the_model(model, tmp_path):
    specs = {
        "captured_kernels.quant": SPEC | {"inputs": {"x": "y"}},
        "captured_kernels.wrong": SPEC | {"outputs": {"q": "return.0", "scale": "return.7"}},
    }
    with assay.capture(tmp_path / "c", ops=specs) as recorded:
        q, _ = model.kernels.quant(numbers())
        model.kernels.wrong(numbers())
    assert q.shape == (8, 1024) and not recorded.recorded
    assert "the op has no argument 'y'; its row of op_map.csv (or its spec) describes another release" in next(iter(recorded.left_out["captured_kernels.quant"]))
    assert "IndexError" in next(iter(recorded.left_out["captured_kernels.wrong"]))
    with assay.capture(tmp_path / "d", ops={"captured_kernels.quant": SPEC}) as recorded:
        model.kernels.quant(numbers().astype(np.float64))
        model.kernels.quant(numbers()[:, ::-1])
        with pytest.raises(ValueError):
            model.kernels.quant(numbers()[:0])
    float64, backwards, empty = recorded.left_out["captured_kernels.quant"]
    assert "has dtype float64" in float64 and "expected none below 0" in backwards and empty == "an input tensor is empty"


def test_wrong_folders_and_ops_are_refused(model, tmp_path):
    def of(folder, ops=None):
        return assay.capture(folder, ops=ops or {"captured_kernels.quant": SPEC})

    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        of(tmp_path / "file" / "below").__enter__()
    with pytest.raises(FileExistsError, match="not an empty folder"):
        of(tmp_path / "file").__enter__()
    with of(tmp_path / "c"):
        pass
    with pytest.raises(FileExistsError, match="exists and is not an empty folder; choose another"):
        of(tmp_path / "c").__enter__()
    with pytest.raises(ValueError, match="captured_kernels.none is not a function that can be imported"):
        of(tmp_path / "d", {"captured_kernels.none": SPEC}).__enter__()
    with pytest.raises(ValueError, match="no op of op_map.csv matches 'flashinfr.\\*'"):
        of(tmp_path / "d", ["flashinfr.*"])
    with pytest.raises(ValueError, match="expected contract, inputs, outputs"):
        of(tmp_path / "d", {"captured_kernels.quant": {"contract": "vllm.group_fp8"}})
    for text in ("", "[]", '{"assay_capture": 2}'):
        (tmp_path / "c" / "capture.json").write_text(text)
        with pytest.raises(ValueError, match="capture"):
            assay.judge_capture(tmp_path / "c")
    with pytest.raises(ValueError, match="expected a folder that assay.capture wrote"):
        assay.judge_capture(tmp_path / "none")


def test_a_disk_that_fails_ends_the_recording_alone(model, tmp_path):
    with pytest.warns(RuntimeWarning, match="cannot write"):
        with assay.capture(tmp_path / "c", ops={"captured_kernels.quant": SPEC}) as recorded:
            model.kernels.quant(numbers())
            (tmp_path / "c").rename(tmp_path / "moved")
            assert model.kernels.quant(numbers())[0].shape == (8, 1024)
    assert len(assay.judge_capture(tmp_path / "moved").calls) == 1 and recorded.recorded


def test_damaged_recordings_are_told_apart(model, tmp_path):
    with assay.capture(tmp_path / "c", ops={"captured_kernels.quant": SPEC}):
        model.kernels.quant(numbers())
        model.kernels.quant(numbers(16))
    first, second = sorted((tmp_path / "c").glob("*/call.json"))
    (first.parent / "tensors.safetensors").write_bytes(b"x" * 20)
    found = assay.judge_capture(tmp_path / "c")
    assert [bool(call) for call in found.calls] == [False, True] and "no verdict" in found.text and not found
    assert "no verdict" in assay.judge_capture(tmp_path / "c", contract="vllm.static").text
    second.write_text("{}")
    with pytest.raises(ValueError, match="expected a file that assay.capture wrote"):
        assay.judge_capture(tmp_path / "c")


def test_captures_nest_and_threads_share_one(model, tmp_path):
    x, original = numbers(), model.kernels.quant
    with assay.capture(tmp_path / "outer", ops={"captured_kernels.quant": SPEC}, calls=50) as outer:
        with assay.capture(tmp_path / "inner", ops={"captured_kernels.quant": SPEC}) as inner:
            model.kernels.quant(x)
            with pytest.raises(RuntimeError, match="already running"):
                inner.__enter__()
        workers = [threading.Thread(target=lambda: [model.kernels.quant(x) for _ in range(5)]) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert inner.recorded == {"captured_kernels.quant": 1} and outer.recorded == {"captured_kernels.quant": 21}
    assert model.kernels.quant is original and model.user.quant is original
    assert len({call.number for call in assay.judge_capture(tmp_path / "outer").calls}) == 21


def test_functions_without_a_contract_give_shapes(model, tmp_path):
    with assay.capture(tmp_path / "c", ops=["captured_kernels.quant"]) as recorded:
        model.kernels.quant(numbers(), 64)
        model.kernels.quant(numbers(), 64)
    assert recorded.shapes == {"captured_kernels.quant(x=bfloat16[8, 1024], group_size=64)": 2} and not recorded.recorded
    assert "of 2 calls, only the shapes were counted; combinations of shapes: 1" in repr(recorded)


def test_rows_of_the_map_name_contracts_roles_and_parameters_that_exist():
    for op, rows in entries().items():
        for row in rows:
            for name in row.contracts_on("sm_90"):
                fitting = []
                for one in assay.contract(name)["ops"]:
                    access = {tensor["role"]: tensor["access"] for tensor in one["tensors"]}
                    inputs = {role for role, kind in access.items() if kind != "output"}
                    outputs = {role + "_out" * (kind == "in place") for role, kind in access.items() if kind != "input"}
                    parameters = {parameter["name"] for parameter in one["parameters"]}
                    fitting.append(
                        set(row.inputs) <= inputs
                        and set(row.outputs) <= outputs
                        and set(row.parameters) <= parameters | {"layout"}
                    )
                assert any(fitting), f"{op}: {name}"
            assert row.release and bool(row.outputs) == bool(row.contracts), op


@pytest.mark.parametrize("hip, arch", [(None, "sm_90"), ("7.0", "gfx942")])
def test_the_architecture_is_that_of_the_first_tensor_on_a_gpu(monkeypatch, hip, arch):
    """Seen on an H100: torch built for CUDA fills gcnArchName too, with the name of the device."""
    name = "gfx942:sramecc+:xnack-" if hip else "NVIDIA H100 80GB HBM3"
    properties = types.SimpleNamespace(major=9, minor=0, gcnArchName=name)
    cuda = types.SimpleNamespace(get_device_properties=lambda device: properties)
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda, version=types.SimpleNamespace(hip=hip)))
    on = {kind: types.SimpleNamespace(device=types.SimpleNamespace(type=kind)) for kind in ("cpu", "cuda")}
    assert _capture.arch_of({"eps": 1e-6, "x": on["cpu"], "y": on["cuda"]}) == arch
    assert _capture.arch_of({"x": on["cpu"]}) == "cpu"


def test_expressions():
    x = np.zeros((2, 3, 4), np.float32)
    given = {"x": x, "pair": (x, None), "none": None}
    assert value_of("x.last", given) == 4 and value_of("x.numel", given) == 24 and value_of("x.dtype", given) == "float32"
    assert value_of("pair.1.dtype", given) is None and value_of("none.T", given) is None
    assert value_of("x+x", given).shape == (2, 3, 8) and value_of("x+none", given) is None
    assert value_of("pair.0.flat", given).shape == (24,) and value_of("tall.tiles", {"tall": x.reshape(3, 8)}).shape == (12, 2)
    assert value_of("return.1", given, (1, 2)) == 2
    with pytest.raises(ValueError, match="expected .N, .T"):
        value_of("x.up", given)
    row = Entry(
        "op", "", ["c.{arch}"], {"x.dtype": "float*", "none": "None"}, {"x": "x"}, {"y": "return"}, {"a": "7", "b": "1e-6"}
    )
    assert row.fits(given) and not row.fits(given | {"none": 1}) and row.contracts_on("sm_90") == ["c.sm_90"]
    assert row.array("x", "x", given).shape == (6, 4) and row.number("7", given) == 7 and row.number("1e-6", given) == 1e-6
    assert row.number("'row'", given) == "row" and row.number("pair.0.last", given) == 4


# With torch


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


def test_ops_of_torch_are_seen_below_autograd(torch, tmp_path):
    x = torch.randn(4, 256, requires_grad=True)
    with assay.capture(tmp_path / "c", ops=["aten::_to_copy", "aten::mu*"]) as recorded:
        (x * 2).to(torch.bfloat16)
        q = (x * 100).detach().to(torch.float8_e4m3fn)
    assert recorded.recorded == {"aten::_to_copy": 1} and q.dtype == torch.float8_e4m3fn
    assert any(key.startswith("aten::mul(self=float32[4, 256]") for key in recorded.shapes)
    assert not recorded.left_out  # the cast to bf16 does not match the map
    (call,) = assay.judge_capture(tmp_path / "c").calls
    assert call and call.contract.startswith("torch.e4m3fn"), call.result.text
    kept = _safetensors.read(call.folder / "tensors.safetensors", call.said["tensors"])
    assert kept["q"].content == q.view(torch.uint8).numpy().tobytes() and kept["x"].shape == [4, 256]


def test_subclasses_come_apart_first(torch, tmp_path):
    class Doubled(torch.Tensor):
        @staticmethod
        def __new__(cls, inner):
            return torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype)

        def __init__(self, inner):
            self.inner = inner

        @classmethod
        def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
            return function(*(one.inner if isinstance(one, cls) else one for one in args), **(kwargs or {}))

    with assay.capture(tmp_path / "c", ops=["aten::_to_copy"]) as recorded:
        Doubled(torch.randn(2, 256)).to(torch.float8_e5m2)
    assert recorded.recorded == {"aten::_to_copy": 1}
    assert assay.judge_capture(tmp_path / "c")


@pytest.mark.parametrize("guard", ["inference_mode", "no_grad", "enable_grad"])
def test_ops_inside_composite_ops_and_ops_in_python_are_seen(torch, tmp_path, guard):
    library = torch.library.Library("assay_test_" + guard, "DEF")
    library.define("outer(Tensor x) -> Tensor")
    library.impl("outer", lambda x: x.to(torch.float8_e4m3fn).clone(), "CPU")
    library.define("adds(Tensor(a!) x, float y) -> ()")
    library.impl("adds", lambda x, y: [x.add_(y), None][1], "CompositeExplicitAutograd")
    ops = getattr(torch.ops, "assay_test_" + guard)
    x = torch.randn(2, 256)
    with (
        getattr(torch, guard)(),
        assay.capture(tmp_path / "c", ops=["aten::_to_copy", "aten::clone", "aten::add_"]) as recorded,
    ):
        q = ops.outer(x)
        ops.adds(x, 1.0)
        torch.nn.functional.rms_norm(x.to(torch.bfloat16), (256,)).to(torch.float8_e4m3fn)
        empty = torch.zeros(3)
    assert q.dtype == torch.float8_e4m3fn and empty.shape == (3,)
    assert recorded.recorded == {"aten::_to_copy": 2}
    assert sum(count for key, count in recorded.shapes.items() if key.startswith(("aten::clone(", "aten::add_("))) >= 2
    assert assay.judge_capture(tmp_path / "c")
