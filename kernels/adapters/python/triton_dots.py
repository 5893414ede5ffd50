"""An fp8 GEMM with three variants of Triton's dot: `a` [m, k] times the transpose of `b` [n, k]."""

import triton
import triton.language as tl


@triton.jit
def product(a, b, d, scale_a, scale_b, m, k, n, blocks_of_k, form: tl.constexpr, rows_have_scales: tl.constexpr, columns_have_scales: tl.constexpr,
            block_k: tl.constexpr):
    row, column, part = tl.program_id(0) * 64 + tl.arange(0, 64), tl.program_id(1) * 64 + tl.arange(0, 64), tl.arange(0, block_k)
    sum = tl.zeros((64, 64), tl.float32)
    for first in range(0, k, block_k):
        inside = first + part < k
        x = tl.load(a + row[:, None] * k + first + part[None, :], mask=(row < m)[:, None] & inside[None, :], other=0.0)
        y = tl.load(b + column[None, :] * k + first + part[:, None], mask=(column < n)[None, :] & inside[:, None], other=0.0)
        if form == "added":
            sum += tl.dot(x, y)
        elif form == "imprecise_0":
            sum = tl.dot(x, y, sum, max_num_imprecise_acc=0)
        else:
            of_row = tl.load(scale_a + row * blocks_of_k + first // 128, mask=row < m, other=0.0)
            of_column = tl.load(scale_b + column // 128 * blocks_of_k + first // 128, mask=column < n, other=0.0)
            sum += tl.dot(x, y) * (of_row[:, None] * of_column[None, :])
    if form != "scales_first":
        of_row = tl.load(scale_a + row, mask=row < m, other=0.0)[:, None] if rows_have_scales else tl.load(scale_a)
        of_column = tl.load(scale_b + column, mask=column < n, other=0.0)[None, :] if columns_have_scales else tl.load(scale_b)
        sum = sum * of_row * of_column
    tl.store(d + row[:, None] * n + column[None, :], sum.to(d.dtype.element_ty), mask=(row < m)[:, None] & (column < n)[None, :])
