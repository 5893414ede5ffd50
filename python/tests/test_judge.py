"""judge, check, match, explain, scale: their answers, and what they reject."""

import gc
import os
import resource
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import assay
from five_ops import group_quant

CONTRACT = "vllm.group_fp8"


def tensors(reciprocal=False, rows=64):
    x = np.random.default_rng(1).standard_normal((rows, 1024), dtype=np.float32).astype(ml_dtypes.bfloat16)
    q, scale = group_quant(x, 128, reciprocal)
    return {"x": x, "q": q, "scale": scale}


def test_right_outputs_pass_and_wrong_ones_name_the_cause():
    assert assay.judge(CONTRACT, **tensors(), group_size=128).outcome == "pass"
    assert assay.judge(contract=CONTRACT, **tensors()).outcome == "pass" and assay.check(contract=CONTRACT, **tensors())
    assert "scale" in assay.explain(contract=CONTRACT, **tensors())
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'contract'"):
        assay.judge(**tensors())
    result = assay.judge(CONTRACT, **tensors(reciprocal=True))
    assert not result and result.outcome == "fail"
    assert "code: div(s) -> mul(1/s)" in result.causes[0]
    assert [tensor["name"] for tensor in result.tensors] == ["q", "scale"]
    assert result.power.faults == 20 and result.power.seen == 12
    assert "div(s) -&gt; mul(1/s)" in result._repr_html_() and "FAIL" in result._repr_html_()
    with pytest.raises(AssertionError, match=r"div\(s\) -> mul\(1/s\)"):
        assay.check(CONTRACT, **tensors(reciprocal=True))


def test_weak_data_warn_and_raise_on_demand():
    zeros = {"x": np.zeros((4, 1024), ml_dtypes.bfloat16)}
    zeros["q"], zeros["scale"] = group_quant(zeros["x"], 128, False)
    with pytest.warns(assay.WeakDataWarning, match="expose 7 of 20 mutants"):
        assert assay.judge(CONTRACT, **zeros)
    with pytest.raises(assay.WeakDataError):
        assay.judge(CONTRACT, **zeros, demand_power=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assay.judge(CONTRACT, **tensors(), demand_power=True)


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda t: {"q": t["q"][:4]}, "tensor 'q': has shape [4, 1024]; role 'q' must be [64, 1024], as x says"),
        (lambda t: {"q": t["q"].astype(np.float32)}, "tensor 'q': is f32; the contract requires e4m3fn for role 'q'"),
        (lambda t: {"q": t["q"].astype(np.float64)}, "tensor 'q': has dtype float64; expected one of"),
        (lambda t: {"q": t["x"].astype(">f4")}, "tensor 'q': is big-endian"),
        (lambda t: {"z": t["q"]}, "tensor 'z': op quant_group has no such tensor; expected x, global_scale, q, scale"),
        (lambda t: {"q": None}, "tensor 'q': expected one, got scale, x"),
        (lambda t: {"q": [1, 2]}, "'q': is a list; expected an array"),
        (lambda t: {"eps": 1e-6}, "argument eps: op quant_group has no such parameter"),
        (lambda t: {"group_size": 64}, "expects\n  row with groups of 64: f32 [64, 16]"),
        (lambda t: {"layout": "rowwise"}, "rowwise"),
        (lambda t: {"x": np.zeros((0, 1024), ml_dtypes.bfloat16)}, "which is empty"),
    ],
)
def test_wrong_questions_are_refused_by_name(change, words):
    with pytest.raises(ValueError) as refusal:
        given = tensors()
        assay.judge(CONTRACT, **{**given, **change(given)})
    assert words in str(refusal.value)


def test_there_is_no_tolerance_and_no_guess():
    with pytest.raises(TypeError, match="no tolerances"):
        assay.judge(CONTRACT, **tensors(), rtol=1e-3)
    with pytest.raises(ValueError, match="did you mean 'vllm.group_fp8'"):
        assay.judge("vllm.group_fp9", **tensors())
    with pytest.raises(ValueError, match="needs the argument eps=...: no tensor determines it"):
        assay.judge("vllm.rms_norm@v0.19.1", x=tensors()["x"], gamma=np.ones(1024, ml_dtypes.bfloat16), y=tensors()["x"])


def test_views_and_strides_mean_the_same():
    given = tensors(reciprocal=True)
    plain = assay.judge(CONTRACT, **given).verdict["tensors"]
    wide = np.zeros((64, 2048), ml_dtypes.float8_e4m3fn)
    wide[:, :1024] = given["q"]
    for q in (
        given["q"].view(np.uint8),
        assay.view(given["q"].view(np.uint8), "e4m3fn"),
        assay.view(given["q"].view(np.uint8), "float8_e4m3fn"),
        wide[:, :1024],
        np.asfortranarray(given["q"]),
        given["q"][::-1][::-1],
    ):
        assert assay.judge(CONTRACT, **{**given, "q": q}).verdict["tensors"] == plain
    backwards = {**given, "q": given["q"][::-1]}
    assert assay.judge(CONTRACT, **backwards).verdict["tensors"] != plain
    bits = {**given, "x": assay.view(given["x"].view(np.uint16), "bf16")}
    assert assay.judge(CONTRACT, **bits).verdict["tensors"] == plain
    with pytest.raises(ValueError, match="has dtype uint16"):
        assay.judge(CONTRACT, **{**given, "x": given["x"].view(np.uint16)})
    with pytest.raises(ValueError, match="has elements of 1 bytes"):
        assay.view(given["q"], "bf16") and assay.judge(CONTRACT, **{**given, "q": assay.view(given["q"], "bf16")})


class OnlyDlpack:
    """An array of another framework, with __dlpack__ and nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **arguments):
        return self.array.__dlpack__()


def test_dlpack_alone_is_enough():
    given = tensors()
    q = OnlyDlpack(given["q"].view(np.uint8))
    assert assay.judge(
        CONTRACT, x=assay.view(OnlyDlpack(given["x"].view(np.uint16)), "bf16"), q=q, scale=OnlyDlpack(given["scale"])
    )


@pytest.mark.parametrize("rows, layouts", [(8, ["col", "tma"]), (6, ["tma"])])
def test_columns_are_a_layout_of_their_own_where_rows_are_padded(rows, layouts):
    """With a multiple of four rows, layouts col and tma have the same storage: the report may name either, and need not name one."""
    given = tensors(rows=rows)
    storage = np.zeros((8, 8), np.float32)
    storage[:, :rows] = given["scale"].T
    given["scale"] = OnlyDlpack(storage.T[:rows])
    assert assay.judge(CONTRACT, **given).case.rpartition(".")[2] == layouts[0]
    for layout in ("col", "tma"):
        result = assay.judge(CONTRACT, **given, layout=layout)
        assert result.case.endswith(layout) and ("NOT CHECKED" in result.text) == (layout not in layouts), result.text


def test_padding_of_a_layout_is_seen_through_its_strides():
    """Scales as columns, padded to four rows: for numpy a view of a larger array."""
    given = tensors(rows=6)
    storage = np.zeros((8, 8), np.float32)
    storage[:, :6] = given["scale"].T
    result = assay.judge(CONTRACT, **{**given, "scale": storage.T[:6]}, layout="tma")
    assert result and result.case.endswith(".tma") and "NOT CHECKED" not in str(result)
    assert "NOT CHECKED: order in memory and padding of scale" in str(assay.judge(CONTRACT, **given, layout="tma"))


def test_match_explain_and_scale():
    found = assay.match(**tensors(reciprocal=True), op="quant_group")
    assert found and "vllm.group_triton" in found.obeys and CONTRACT in dict(found.violates)
    text = assay.explain(CONTRACT, **tensors(reciprocal=True), element=(3, 5))
    assert "trace of element [3, 5]" in text and "scale = amax / 448" in text and repr(text) == str(text)
    with pytest.raises(ValueError, match=r"element \[99, 0\]"):
        assay.explain(CONTRACT, **tensors(), element=(99, 0))
    assert assay.scale(tensors()["scale"])
    codes = np.full((4, 8), 127, np.uint8)
    codes[2, 3] = 255
    bad = assay.scale(assay.view(codes, "e8m0"), ue8m0=True)
    assert not bad and "NaN" in bad.findings[0]


def test_threads_get_the_answers_of_one():
    given, alone, answers = tensors(reciprocal=True), assay.judge(CONTRACT, **tensors(reciprocal=True)).text, []
    threads = [threading.Thread(target=lambda: answers.append(assay.judge(CONTRACT, **given).text)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [alone] * 6


def test_other_threads_run_while_a_contract_is_evaluated():
    """The GIL is released: this thread counts while another one judges, and would stand still otherwise."""
    given, steps, done = tensors(rows=2048), 0, threading.Event()
    assay.judge(CONTRACT, **tensors())

    def judge():
        assay.judge(CONTRACT, **given)
        done.set()

    begun = time.perf_counter()
    thread = threading.Thread(target=judge)
    thread.start()
    gaps, last = [], time.perf_counter()
    while not done.is_set():
        time.sleep(0.001)
        now = time.perf_counter()
        gaps, last = gaps + [now - last], now
    thread.join()
    assert len(gaps) > 10 and max(gaps) < 0.8 * (last - begun), (len(gaps), max(gaps), last - begun)


class Lies:
    """An array whose interface describes data that its memory does not hold."""

    def __init__(self, **said):
        self.keep = np.zeros((4, 128), np.uint8)
        self.__array_interface__ = {**self.keep.__array_interface__, "version": 3, **said}


class Raises:
    def __dlpack__(self, **arguments):
        raise BufferError("no memory for strangers")


@pytest.mark.parametrize(
    "array, error",
    [
        (Lies(shape=(4, -128)), "tensor 'q': has shape [4, -128]"),
        (Lies(shape=(1 << 40, 1 << 40)), "tensor 'q': has shape"),
        (Lies(strides=(1 << 62, 1)), "tensor 'q': "),
        (Lies(shape=(4, 128), strides=(3, 1), typestr="<f4"), "tensor 'q': has strides of [3, 1] bytes"),
        (Lies(typestr="|V16"), "tensor 'q': has dtype |V16"),
        (Lies(shape=(), strides=None), "tensor 'q': "),
        (Lies(shape=(1,) * 70, strides=None), "tensor 'q': "),
        (Lies(data=(0, False)), "tensor 'q': "),
        (Raises(), "no memory for strangers"),
        (np.array([[object()] * 128] * 4), "tensor 'q': has dtype object"),
        (np.zeros((4, 128), [("a", "u1"), ("b", "f4")]), "tensor 'q': has dtype"),
        (np.zeros((4, 128), bool), "tensor 'q': has dtype bool"),
        (np.ma.masked_array(np.zeros((4, 64), np.uint8), True), "tensor 'q': has shape [4, 64]"),
    ],
    ids=range(13),
)
def test_hostile_arrays_are_refused_in_a_process_that_lives(array, error):
    x = np.ones((4, 128), ml_dtypes.bfloat16)
    with pytest.raises((ValueError, BufferError)) as refusal:
        assay.judge(CONTRACT, x=x, q=array, scale=np.ones((4, 1), np.float32))
    assert error in str(refusal.value)


def test_memory_that_changes_while_it_is_judged_harms_nobody():
    given, stop = tensors(rows=256), threading.Event()

    def disturb():
        while not stop.is_set():
            given["q"].view(np.uint8)[...] ^= 0x55

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        outcomes = {assay.judge(CONTRACT, **given).outcome for _ in range(5)}
    finally:
        stop.set()
        thread.join()
    assert outcomes <= {"pass", "fail"}


@pytest.mark.filterwarnings("ignore::assay.WeakDataWarning")
def test_two_codes_in_a_byte():
    """MXFP4: numpy has no such type, so the byte array is given a name; every code of a block of ones and halves is known."""
    x = np.tile(np.array([1, 0.5], ml_dtypes.bfloat16), (4, 32))
    codes, scale = np.full((4, 32), 0x46, np.uint8), np.full((4, 2), 125, np.uint8)
    given = {"x": x, "scale": assay.view(scale, "e8m0")}
    right = assay.judge("torchao.mxfp4_floor", **given, q=assay.view(codes, "e2m1x2"))
    assert right, right.text
    codes[1, 3] = 0x45
    wrong = assay.judge("torchao.mxfp4_floor", **given, q=assay.view(codes, "e2m1x2"))
    assert "q[1, 6]" in wrong.text and "1 of 256 elements outside" in wrong.text, wrong.text


def test_ten_thousand_calls_leak_nothing():
    x = np.full((1, 128), 448, ml_dtypes.bfloat16)
    given = {"x": x, "q": x.astype(ml_dtypes.float8_e4m3fn), "scale": np.ones((1, 1), np.float32)}
    wrong = {**given, "q": given["q"][:, :64]}

    def memory():
        gc.collect()
        return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

    def call(times):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for i in range(times):
                if i % 2:
                    with pytest.raises(ValueError):
                        assay.judge(CONTRACT, **wrong, layout="row")
                else:
                    assay.judge(CONTRACT, **given, layout="row")

    call(1000)
    before, files = memory(), len(os.listdir("/proc/self/fd"))
    call(10000)
    grown = memory() - before
    assert grown < 4 << 20, f"{grown} bytes more after 10,000 calls"
    assert len(os.listdir("/proc/self/fd")) == files


def test_the_session_of_a_bare_machine_shows_what_its_program_prints(tmp_path):
    """ci/wheel makes the session; here only its last command runs."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "ci/run_tutorials.py").exists():
        pytest.skip("the tests lie outside a checkout")
    sys.path.insert(0, str(root / "ci"))
    import run_tutorials

    blocks = run_tutorials.blocks_of((root / "docs/guides/python.md").read_text().splitlines())
    session = next(block.lines for block in blocks if block.language == "console")
    command = "$ v/bin/python outputs.py"
    shown = session[session.index(command) + 1 :]
    (tmp_path / "outputs.py").write_text(next(block.text for block in blocks if block.file == "outputs.py"))
    told = subprocess.run([sys.executable, "outputs.py"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout.splitlines()
    assert shown[-1] == "..." and "div(s) -> mul(1/s)" in shown[1], shown
    assert run_tutorials.first_difference(shown, told) is None, told
    assert run_tutorials.first_difference([shown[0].replace("FAIL", "PASS"), *shown[1:]], told) == 0
