#!/usr/bin/env bash
# `contracts match` works for every op, and says nothing about cases without outputs.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/odd_library.sh"

# The first case of each op suffices to find an op that crashes on another op's contract.
for op in $("$assay" list --all | cut -d/ -f1 | uniq); do
  case $op in cast) continue ;; esac  # cases of cast test all 2^32 inputs with calls of their own
  id=$("$assay" list --suite "$op/quick" --warp 32 | head -1)
  expect 0 "obeys     $(cut -d/ -f2 <<<"$id")" "$assay" contracts match --op "$op" --case "$id"
done

match() { "$assay" contracts match --op rms_norm --case '*@2026-06-18/bf16.m3.n1024.*/w32' --case '*@2026-06-18/bf16.m4.n1024.eps1e-6/normal.*/w32' --timeout 1 --backend "$odd"; }
expect 0 "obeys     vllm.rms_norm@2026-06-18" match
export ODD_RUN=crash_above_3
expect 1 "perhaps   vllm.rms_norm@2026-06-18" match
expect 1 "no answer" match
match | grep -q "obeys" && fail "contracts match prints 'obeys' although the kernel crashed in some cases"
export ODD_RUN=crash
expect 1 "NOT ALL SEEN" match
expect 1 "crashed: SIGABRT" match
export ODD_RUN=hang
expect 1 "hung" match
export ODD_RUN=refuse
expect 2 "NOTHING RAN" match
expect 2 "not today" match
echo passed
