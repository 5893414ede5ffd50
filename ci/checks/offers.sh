#!/usr/bin/env bash
# The program checks a library's describe() against the known ops, contracts and parameters. A misspelled name gives one message and
# exit code 2, in every verb that loads a library.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/odd_library.sh"

# said DESCRIPTION TEXT: a library with this kernel description is rejected with this message.
said() {
  export ODD_KERNELS=$1
  expect 2 "$2" "$assay" run --backend "$odd" --suite rms_norm/quick
  [ "$(wc -l <<<"$expected_in")" -eq 1 ] || fail "expected one line about $1, got: $expected_in"
}
said '{"name":"k","op":"rms_nrom","contracts":["vllm.rms_norm@2026-06-18"]}' "kernel 'k': unknown op 'rms_nrom'; did you mean 'rms_norm'"
said '{"name":"k","op":"rms_norm","contracts":["vllm.rms_norm@2026-06-81"]}' "kernel 'k': unknown contract 'vllm.rms_norm@2026-06-81'; did you mean 'vllm.rms_norm@2026-06-18'"
said '{"name":"k","op":"rms_norm","contract":["vllm.rms_norm@2026-06-18"]}' "kernels[0]: unknown key 'contract'; did you mean 'contracts'"
said '{"name":"k","op":"rms_norm","contracts":["vllm.rms_norm@2026-06-18"],"acepts":{}}' "unknown key 'acepts'; did you mean 'accepts'"
said '{"name":"k","op":"rms_norm","contracts":["vllm.rms_norm@2026-06-18"],"accepts":{"wrap":[32]}}' "op rms_norm has no case parameter 'wrap'; did you mean 'warp'"
said '{"name":"k","op":"rms_norm","contracts":["vllm.rms_norm@2026-06-18"],"accepts":{"x":["bf61"]}}' "accepts.x: no case can have 'bf61'; did you mean 'bf16'"
said '{"name":"k","op":"rms_norm","contracts":["vllm.rms_norm@2026-06-18"],"accepts":{"warp":[16]}}' "accepts.warp: no case can have '16'"
said '{"name":"k","op":"rms_norm","contracts":["vllm.rms_norm@2026-06-18"],"accepts":{"n":["many"]}}' "accepts.n: 'many' is not a number"
said '{"name":"k","op":"rms_norm","contracts":["vllm.rms_norm@2026-06-18"],"multiple_of":{"nn":8}}' "multiple_of: op rms_norm has no case parameter 'nn'"
twice='{"name":"k","op":"rms_norm","contracts":["vllm.rms_norm@2026-06-18"]}'
said "$twice,$twice" "kernels[1]: 'k' for contract vllm.rms_norm@2026-06-18 of op rms_norm is listed twice, first in kernels[0]"
said '{"name":"red\u001b[31m","op":"rms_norm","contracts":[]}' "kernels[0].name holds a control character: red\\x1b[31m"

# The other verbs that load a library reject it with the same message.
export ODD_KERNELS='{"name":"k","op":"rms_nrom","contracts":[]}'
id=$("$assay" list --suite rms_norm/quick | head -1)
expect 2 "unknown op 'rms_nrom'" "$assay" explain "$id" --backend "$odd"
expect 2 "unknown op 'rms_nrom'" "$assay" explain "$id" --minimize --backend "$odd"
expect 2 "unknown op 'rms_nrom'" "$assay" contracts match --op rms_norm --backend "$odd"
expect 2 "unknown op 'rms_nrom'" "$assay" golden write --observed "$odd" --folder "$scratch/golden"
expect 2 "unknown op 'rms_nrom'" "$assay" run --in-process --backend "$odd" --suite rms_norm/quick

# A library may offer a user's own contract. The user's case table then runs it; without this table the program says that no case runs it.
sed -n '1p;/^vllm.rms_norm@2026-06-18,/s/^[^,]*/mine.rms_norm/p' "$root/reference/contracts/norm.csv" >"$scratch/mine.csv"
[ "$(wc -l <"$scratch/mine.csv")" -eq 2 ] || fail "norm.csv has no row vllm.rms_norm@2026-06-18"
export ODD_KERNELS='{"name":"k","op":"rms_norm","contracts":["mine.rms_norm"],"accepts":{"x":["bf16"]}}'
expect 2 "no case for the offered contract mine.rms_norm of op rms_norm (kernel 'k'); --cases FILE.csv runs cases of your own" \
  "$assay" --contracts "$scratch/mine.csv" run --backend "$odd" --suite rms_norm/quick
cat >"$scratch/rows.csv" <<'END'
op,contract,x,m,n,eps,fill,gamma,seed,warp,why,blind_to
rms_norm,mine.rms_norm,bf16,3,256,1e-6,normal,gamma,1,32|64,a row of mine,*
END
expect 0 "ALL AS EXPECTED: 1 pass" "$assay" run --contracts "$scratch/mine.csv" --cases "$scratch/rows.csv" --backend "$odd"
! "$assay" run --contracts "$scratch/mine.csv" --cases "$scratch/rows.csv" --backend "$odd" 2>&1 | grep -q 'no case' || fail "the program prints 'no case' although the contract has a case"
sed "s/\"mine.rms_norm\"/&,\"vllm.rms_norm@2026-06-18\",\"vllm.rms_norm@v0.19.1\"/" <<<"$ODD_KERNELS" >"$scratch/kernels"
ODD_KERNELS=$(cat "$scratch/kernels") expect 0 "assay: 2 offered contracts have no case, such as contract vllm.rms_norm@2026-06-18 of op rms_norm (kernel 'k');" \
  "$assay" run --contracts "$scratch/mine.csv" --cases "$scratch/rows.csv" --backend "$odd"
sed 's/^op,//;s/^rms_norm,//' "$scratch/rows.csv" >"$scratch/no_op.csv"
expect 0 "ALL AS EXPECTED: 1 pass" "$assay" run --contracts "$scratch/mine.csv" --cases "$scratch/no_op.csv" --op rms_norm --backend "$odd"
expect 2 "no_op.csv: has no column 'op'; add --op NAME" "$assay" run --contracts "$scratch/mine.csv" --cases "$scratch/no_op.csv" --backend "$odd"
expect 1 "repro     assay run --contracts $scratch/mine.csv --cases $scratch/rows.csv --backend $odd --case 'rms_norm/mine.rms_norm/" \
  env ODD_RUN=crash "$assay" run --contracts "$scratch/mine.csv" --cases "$scratch/rows.csv" --backend "$odd"
echo passed
