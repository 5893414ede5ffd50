"""FlashInfer's all-reduce in fp8 codes, which is Triton: the ranks of a group are streams of one process on one GPU, and hold addresses of each other's
buffers where torch's symmetric memory would say them."""

import importlib
import sys
import types

import torch

SIGNALS = 1 << 16  # 32-bit words of a rank, more than blocks x ranks


def module_of(source):
    """Its module as it stands, without the package around it."""
    for name, path in (("flashinfer", ""), ("flashinfer.comm", "/comm")):
        if name not in sys.modules:
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].__path__ = [f"{source}/flashinfer{path}"]
    stand_ins = {"flashinfer.api_logging": {"flashinfer_api": lambda function: function},
                 "flashinfer.utils": {"register_custom_op": lambda name, **_: lambda function: function},
                 "flashinfer.comm.torch_symmetric_memory": {"_enable_symm_mem_for_group": None}}
    for name, content in stand_ins.items():
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__dict__.update(content)
    module = importlib.import_module("flashinfer.comm.quantized_allreduce")
    module.dist = types.SimpleNamespace(get_world_size=lambda group: group.size)
    module._get_buf = lambda numel, scale_group, device, group: types.SimpleNamespace(hdl=group)
    return module


class Rank:
    """Of a group: what FlashInfer asks of a handle of symmetric memory. `tables`: addresses of all buffers, and of all signals."""

    def __init__(self, rank, size, tables):
        self.rank, self.size = rank, size
        self.buffer_ptrs_dev, self.signal_pad_ptrs_dev = (table.data_ptr() for table in tables)


def quantized(source, _):
    module = module_of(source)

    def run(call):
        size = int(call.parameters["ranks"])
        x = [call[f"x.r{rank}"].contiguous() for rank in range(size)]
        packed = module._compute_layout(x[0].numel(), module.SCALE_GROUP_DEFAULT, size)[2]
        buffers = [torch.zeros(packed, dtype=torch.uint8, device="cuda") for _ in x]
        signals = [torch.zeros(SIGNALS, dtype=torch.int32, device="cuda") for _ in x]
        tables = [torch.tensor([part.data_ptr() for part in parts], dtype=torch.int64, device="cuda") for parts in (buffers, signals)]
        ranks = [Rank(rank, size, tables) for rank in range(size)]
        y = [torch.empty_like(one) for one in x]
        streams = [torch.cuda.Stream() for _ in x]
        torch.cuda.synchronize()
        # Without blocks a kernel is compiled and loaded and does not run: none is loaded while another waits for it.
        for blocks in (0, None):
            for rank, stream in enumerate(streams):
                with torch.cuda.stream(stream):
                    module.quantized_all_reduce(x[rank], ranks[rank], output=y[rank], max_num_blocks=blocks)
        torch.cuda.synchronize()
        return {f"y.r{rank}": one for rank, one in enumerate(y)}

    return [("flashinfer.all_reduce_fp8_twoshot", "cuda", run)]
