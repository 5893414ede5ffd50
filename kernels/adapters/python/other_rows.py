"""torchao's MX rules and DeepGEMM's casts."""

import torch
from typing import Tuple

from from_source import functions


MODES = {"floor": "FLOOR", "rceil": "RCEIL", "ceil": "CEIL", "even": "EVEN"}


def to_mx(module, mode):
    """A run of `to_mx` of a module of torchao."""
    from torchao.prototype.mx_formats.utils import to_blocked

    def run(call):
        scale, q = module.to_mx(call["x"].contiguous(), torch.float8_e4m3fn, 32, getattr(module.ScaleCalculationMode, mode))
        scale = scale.view(torch.uint8)
        return {"q": q, "scale": to_blocked(scale).flatten() if call.parameters["layout"] == "e8m0_128x4" else scale}

    return run


def torchao_rows():
    from torchao.prototype.mx_formats import mx_tensor

    # Until 2026-08-12 NaN, Inf and the lowest byte were treated otherwise.
    released = not hasattr(mx_tensor, "_f32_to_e8m0_rceil")
    row = {name: f"torchao.mx_{name}" + ("" if not released else "@v0.18.0" if name == "rceil" else "@v0.12.0") for name in MODES}
    return [(row[name], "cuda", to_mx(mx_tensor, mode)) for name, mode in MODES.items()]


def torchao_release_rows(source, _):
    """Of a release before 0.18.0: its functions among the constants of the torchao that is installed."""
    from torchao.prototype.mx_formats import mx_tensor

    module = functions(f"{source}/torchao/prototype/mx_formats/mx_tensor.py", ["_to_mx_rceil", "to_mx"], dict(vars(mx_tensor)))
    return [(f"torchao.mx_{name}@v0.12.0", "cuda", to_mx(module, mode)) for name, mode in MODES.items()]


def torchao_commit_rows(source):
    """Of a commit that no release holds yet: its functions among the constants of the torchao that is installed."""
    from torchao.prototype.mx_formats import mx_tensor
    from torchao.utils import torch_version_at_least

    names = {**vars(mx_tensor), "is_fake": lambda _: False,
             **{f"_TORCH_VERSION_AT_LEAST_2_{minor}": torch_version_at_least(f"2.{minor}.0") for minor in range(11, 16)}}
    module = functions(f"{source}/torchao/prototype/mx_formats/mx_tensor.py",
                       ["_f32_to_e8m0_rceil", "_e8m0_scale_to_reciprocal_fp32", "_to_mx_rceil", "to_mx"], names)
    return [(f"torchao.mx_{name}", "any", to_mx(module, mode)) for name, mode in MODES.items()]


def deepgemm_rows(source):
    casts = functions(f"{source}/deep_gemm/utils/math.py", ["ceil_div", "align", "ceil_to_ue8m0", "per_token_cast_to_fp8", "per_block_cast_to_fp8"],
                      {"torch": torch, "Tuple": Tuple})

    def token(ue8m0):
        def made(call):
            q, scale = casts.per_token_cast_to_fp8(call["x"], ue8m0, int(call.numbers["group_size"]))
            return {"q": q, "scale": scale}

        return made

    def block(ue8m0):
        def made(call):
            q, scale = casts.per_block_cast_to_fp8(call["x"], ue8m0)
            return {"q": q, "scale": scale}

        return made

    return [("deepgemm.per_token_cast", "cpu", token(False)), ("deepgemm.per_token_cast_gpu", "cuda", token(False)),
            ("deepgemm.per_token_cast_ue8m0", "cuda", token(True)), ("deepgemm.per_block_cast", "cpu", block(False)),
            ("deepgemm.per_block_cast_gpu", "cuda", block(False)), ("deepgemm.per_block_cast_ue8m0", "cuda", block(True))]
