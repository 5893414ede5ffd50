#!/usr/bin/env bash
# Kernel libraries that misbehave: each is named in one message, and the rest of the run stands.
. "$(dirname "$0")/lib.sh"
bad=$build/misbehaving
judge() { "$assay" run --backend "$1" --suite rms_norm/quick --case '*bf16*normal*n1024*s1/w32' --case '*2026-06-18/bf16.m4.n1024.eps1e-6/normal*w32' --timeout 3; }

expect 2 "wrong_abi.so" judge "$bad/libwrong_abi.so"
expect 2 "no_symbol.so" judge "$bad/libno_symbol.so"
expect 2 "missing.so" judge "$bad/libmissing.so"
expect 1 "BROKEN" judge "$bad/libcrashes.so"
expect 1 "crashed: SIGSEGV" judge "$bad/libcrashes.so"
expect 1 "BROKEN" judge "$bad/libhangs.so"
expect 1 "BROKEN" judge "$bad/libwrites_past_buffer.so"
expect 1 "BROKEN" judge "$bad/libleaves_outputs_unwritten.so"
expect 1 "BROKEN" judge "$bad/libchanges_input.so"
expect 1 "refused the call" judge "$bad/libreturns_failed.so"
echo passed
