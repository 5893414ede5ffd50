#!/usr/bin/env bash
# Contracts and case tables of users: a table is untrusted if none of its cases exposes some mutant. contracts check finds mistakes that
# loading does not find. Also tests contracts list and contracts diff.
. "$(dirname "$0")/lib.sh"
r=$scratch
header='id,sum,depth,r,y,z,residual,w,since,until,source,why'
row='squares,"ceil(n,2048)/256+13",div(n) add(eps) rsqrt~2,mul(r) mul(w) to(x),,,,1.0,,kernels/norm.cu 4f2a91c,ours'
printf '%s\n' "$header" "acme.rms_norm,$row" >"$r/acme.csv"
sed 's/vllm.rms_norm@2026-06-18/acme.rms_norm/' "$root/kernels/example_plugin/my_rms_norm.c" >"$r/mine.c"
cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I"$root/kernels/abi" "$r/mine.c" -lm -o "$r/libmine.so" || fail "my_rms_norm.c with the edit does not compile"
columns=op,contract,x,m,n,eps,fill,gamma,seed,warp,why,blind_to
normal='rms_norm,acme.rms_norm,bf16,16,1024,1e-6,normal,gamma,1,32,ordinary numbers,'
telling='rms_norm,acme.rms_norm,bf16,3,1024,1e-6,eps_dominated,gamma,1,32,where eps matters,'
zeros='rms_norm,acme.rms_norm,bf16,3,1024,1e-6,zeros,gamma,1,32,rows of zeros,'
table() { printf '%s\n' "$columns" "$@" >"$r/cases.csv"; }
run() { "$assay" run --backend "$r/libmine.so" --contracts "$r/acme.csv" --cases "$r/cases.csv" "$@"; }

# A row may miss mutants that other rows expose. A mutant that no row exposes is named once, in a single verdict.
table "$normal" "$telling" "$zeros"
expect 0 "ALL AS EXPECTED: 3 pass" run
table "$normal" "$zeros"
expect 1 "UNTRUSTED  rms_norm/acme.rms_norm" run
expect 1 "none of its 2 cases exposes: r: " run
expect 1 "(2 pass, 1 untrusted)" run
run --report csv:"$r/verdicts.csv" >/dev/null
[ "$(grep -c "exposes: r: " "$r/verdicts.csv")" = 1 ] || fail "expected the unexposed mutants in 1 row, got $(grep -c "exposes: r: " "$r/verdicts.csv")"
expect 1 "none of its 2 cases exposes: r: " run --suite rms_norm
table "$normal\"r: *eps*\"" "$zeros\"r: *eps*\""
expect 0 "ALL AS EXPECTED: 2 pass" run
# Mutants in blind_to are counted, and a glob of blind_to that matches no mutant is named.
expect 0 "excused by blind_to: 3 of 16 mutants of acme.rms_norm: r: " run
expect 0 "note: excused by blind_to: 3 of 16 mutants of acme.rms_norm: r: " "$assay" contracts check "$r/acme.csv" --cases "$r/cases.csv"
run --suite rms_norm/quick 2>&1 | grep -q 'excused' && fail "a run of a part of the table (--suite) prints excused mutants"
table "$normal\"r: *eps*; r: no such*\"" "$telling"
expect 0 "acme.rms_norm: no mutant matches r: no such* in \`blind_to\`" run
expect 0 "note: acme.rms_norm: no mutant matches r: no such* in \`blind_to\`" "$assay" contracts check "$r/acme.csv" --cases "$r/cases.csv"
table "$normal" "$telling"
run 2>&1 | grep -e excused -e 'no mutant' && fail "a table without blind_to prints excused mutants"
table "$zeros*"
expect 0 "excused by blind_to: 14 of 16 mutants of acme.rms_norm: sum: ignores the data; " run
expect 0 "and 10 more" run
table "$normal\"r: *eps*\"" "$zeros\"r: *eps*\""
table "$normal\"r: *eps*\"" "$zeros"
expect 1 "none of its 2 cases exposes: r: " run
expect 0 "only some cases of the case table ran, so it was not checked which mutants the table exposes" run --case '*normal*'
expect 0 "only some cases of the case table ran, so it was not checked which mutants the table exposes" run --shard 1/2
printf '%s\n' case,kernel,outcome,reason,issue,since,owner 'rms_norm/acme.rms_norm,*,untrusted,to be extended,#1,2026-11-26,ada' >"$r/known.csv"
expect 0 "ALL AS EXPECTED: 2 pass, 1 untrusted" run --ledger "$r/known.csv"

# contracts check. A contract for which no shipped case is valid gets a note.
sed 's/mul(w) to(x)/mul(w)/' "$r/acme.csv" >"$r/open.csv"
expect 0 "note: acme.rms_norm: no shipped case with x in bf16 fits this contract; the error of one case: suites/" "$assay" contracts check "$r/open.csv"
expect 0 "does not end with a rounding to bf16, such as to(x)" "$assay" contracts check "$r/open.csv"
sed 's/"ceil(n,2048)\/256+13"/ceil(n,2048)\/256+13/' "$r/acme.csv" >"$r/unquoted.csv"
expect 2 "a cell with a comma needs quotes" "$assay" contracts check "$r/unquoted.csv"
check() { "$assay" contracts check "$r/acme.csv" "$@"; }
expect 0 "0 of 1 contracts have findings" check
check | grep 'fits' && fail "contracts check prints a note 'no shipped case fits' for a contract that shipped cases fit"
expect 1 "op rms_norm: none of its 2 cases exposes: r: " check --cases "$r/cases.csv"
table "$normal" "$telling"
expect 0 "0 of 1 contracts have findings" check --cases "$r/cases.csv"
printf '%s\n' "$header" "acme.rms_norm,$row" "acme.idle,$row" "acme.bare,${row/kernels\/norm.cu 4f2a91c/}" >"$r/acme.csv"
expect 1 "acme.csv:4:" check
expect 1 "acme.bare: source: is empty" check
expect 1 "acme.csv:3:1: acme.idle: id: no case of --cases names this contract" check --cases "$r/cases.csv"
expect 1 "2 of 3 contracts have findings" check --cases "$r/cases.csv"
expect 2 "expected the tables to check" "$assay" contracts check
sed -n '1p;2s/^[^,]*/my_70.mma.f16.f32/p' "$root/reference/contracts/units.csv" >"$r/units.csv"
expect 2 "has no contracts" "$assay" contracts check "$r/units.csv"
quant() { head -1 "$root/reference/contracts/quant.csv" >"$r/quant.csv" && sed -n 's/^vllm.group_fp8,/acme.group_fp8,/p' "$root/reference/contracts/quant.csv" | sed "$1" >>"$r/quant.csv"; }
quant ''
expect 0 "0 of 1 contracts" "$assay" contracts check "$r/quant.csv"
quant 's/row|col|tma/rowz|col|tma/'
expect 2 "layouts: unknown layout 'rowz'; did you mean 'row'" "$assay" contracts check "$r/quant.csv"
quant 's/rows:untouched/rowz:00/'
expect 2 "pad: unknown padding rule 'rowz:00'; did you mean 'rows:00'" "$assay" list quant_group --contracts "$r/quant.csv"

# `new case` copies a contract's cases. An unchanged copy has no findings, because it includes blind_to; without blind_to it has one.
quant ''
expect 0 "code: to(q) -> to(q,nosat)" "$assay" new case acme.group_fp8 --from vllm.group_fp8 --contracts "$r/quant.csv" --output "$r/copied.csv"
expect 0 "0 of 1 contracts have findings" "$assay" contracts check "$r/quant.csv" --cases "$r/copied.csv"
sed 's/; code: to(q) -> to(q,nosat)//; s/code: to(q) -> to(q,nosat)//' "$r/copied.csv" >"$r/edited.csv"
cmp -s "$r/copied.csv" "$r/edited.csv" && fail "new case copied no equivalent mutant into blind_to"
expect 1 "exposes: code: to(q) -> to(q,nosat)" "$assay" contracts check "$r/quant.csv" --cases "$r/edited.csv"
# The copy has another constant. The names of its mutants contain this constant, so `new case` must not copy the old names.
quant 's/max(1e-10)/max(1e-6)/'
rm "$r/copied.csv"
expect 0 "amax: max(1e-6) -> max(1e-6,keep)" "$assay" new case acme.group_fp8 --from vllm.group_fp8 --contracts "$r/quant.csv" --output "$r/copied.csv"
grep -qF 'max(1e-6) -> max(1e-4,keep)' "$r/copied.csv" && fail "new case lists in blind_to a mutant that has another constant"
expect 0 "0 of 1 contracts have findings" "$assay" contracts check "$r/quant.csv" --cases "$r/copied.csv"
sed 's/; amax: max(1e-6) -> max(1e-6,keep)//; s/amax: max(1e-6) -> max(1e-6,keep)//' "$r/copied.csv" >"$r/edited.csv"
expect 1 "exposes: amax: max(1e-6) -> max(1e-6,keep)" "$assay" contracts check "$r/quant.csv" --cases "$r/edited.csv"

# contracts diff
quant ''
diff() { "$assay" contracts diff acme.group_fp8 vllm.group_fp8 --contracts "$r/quant.csv" "$@"; }
expect 0 "equal: the rows differ at most in id" diff
quant 's/32|64|128/16/'
expect 0 "can be checked under acme.group_fp8; the first error: suites/quant_group/cases/quick.csv:" diff
quant 's/,448,/,240,/'
expect 0 "of 5120 elements differ, by up to 8 ulp" diff
expect 0 "no difference found on 2 of 2 data sets" "$assay" contracts diff acme.rms_norm vllm.ir_rms_norm --contracts <(sed 's/mul(r) mul(w) to(x)/mul(r) to(x) mul(w) to(x)/' "$r/acme.csv") --cases "$r/cases.csv"

# contracts list
expect 0 "vllm.group_fp8_ue8m0 " "$assay" contracts list --vendor vllm --search UE8M0
[ "$("$assay" contracts list --vendor vllm | grep -vc '^vllm\.')" = 0 ] || fail "--vendor lists other vendors"
[ "$("$assay" contracts list --vendor vllm --op rms_norm --search 'read eagerly' 2>&1 | grep -c 'no contract is selected')" = 1 ] || fail "--search finds a text that no contract contains"
expect 2 "no vendor 'vlm'; there are aiter, " "$assay" contracts list --vendor vlm
# --arch leaves out contracts that name another chip, or that have a separate row for this chip. It keeps contracts that name no chip.
on() { "$assay" contracts list --arch "$1" | cut -d ' ' -f 1 >"$r/$1.txt"; }
on sm_90 && on gfx942 && on sm_100
has() { grep -qx "$2" "$r/$1.txt" || fail "--arch $1 does not list $2"; }
lacks() { ! grep -qx "$2" "$r/$1.txt" || fail "--arch $1 lists $2"; }
for id in vllm.group_fp8 vllm.rms_norm@2026-06-18 deepgemm.fp8_gemm_1d1d.sm_90; do has sm_90 $id; done
for id in aiter.rms_norm aiter.rms_norm_gfx942 vllm.group_fp8_fnuz vllm.group_fp8_fnuz@v0.33.0 vllm.nvfp4 aiter.ck_gemm_a8w8.gfx942; do lacks sm_90 $id; done
for id in aiter.rms_norm_gfx942 vllm.group_fp8_fnuz vllm.rms_norm@2026-06-18 aiter.ck_gemm_a8w8.gfx942 aiter.gemma_rms_norm; do has gfx942 $id; done
for id in aiter.rms_norm vllm.group_fp8 deepgemm.fp8_gemm_1d1d.sm_90 vllm.nvfp4 aiter.ck_gemm_a8w8.gfx950; do lacks gfx942 $id; done
has sm_100 vllm.nvfp4 && lacks sm_100 deepgemm.fp8_gemm_1d1d.sm_90
# Evidence for a chip: evidence from the chip itself takes precedence, and the last line counts all contracts.
proven() { "$assay" contracts list --arch "$1" --evidence; }
[[ $(proven gfx942 | tail -n 1) =~ ^"of "([0-9]+)" contracts for gfx942: 0 ran on it, "[1-9][0-9]*" were executed on the CPU; on other chips only: "[1-9][0-9]*" ran" ]] || fail "unexpected last line for gfx942: $(proven gfx942 | tail -n 1)"
[ "${BASH_REMATCH[1]}" = "$(wc -l <"$r/gfx942.txt")" ] || fail "the last line counts ${BASH_REMATCH[1]} rows, and $(wc -l <"$r/gfx942.txt") are listed"
[[ $(proven sm_90 | tail -n 1) =~ "contracts for sm_90: "[1-9][0-9]*" ran on it, 0 were executed on the CPU" ]] || fail "unexpected last line for sm_90: $(proven sm_90 | tail -n 1)"
proven gfx942 | grep '^aiter.rms_norm_gfx942 ' | grep -q 'executed: .*gfx942' || fail "the row of aiter.rms_norm_gfx942 does not say that its code was executed for gfx942"
expect 2 "--arch gfx943: expected a chip that has tensor core instructions in the tables; did you mean 'gfx942'" "$assay" contracts list --arch gfx943
expect 2 "contracts show does not use --arch; only contracts list does" "$assay" contracts show vllm.group_fp8 --arch sm_90
released() { "$assay" contracts list --vendor vllm --op quant_group --release "$1" | cut -d ' ' -f 1; }
[ "$(released v0.32.0 | grep -cx -e vllm.group_fp8 -e vllm.group_fp8@v0.33.0)" = 1 ] && released v0.32.0 | grep -qx vllm.group_fp8 || fail "v0.32.0: expected only vllm.group_fp8, got: $(released v0.32.0)"
[ "$(released 0.33 | grep -cx -e vllm.group_fp8 -e vllm.group_fp8@v0.33.0)" = 1 ] && released 0.33 | grep -qx vllm.group_fp8@v0.33.0 || fail "0.33: expected only vllm.group_fp8@v0.33.0, got: $(released 0.33)"
expect 2 "no selected contract of vllm is in release 0.0.1" "$assay" contracts list --vendor vllm --release 0.0.1
expect 2 "--release 'new': expected a release such as 0.33.0, or a date" "$assay" contracts list --vendor vllm --release new
expect 2 "--release requires --vendor" "$assay" contracts list --release 0.33.0
expect 2 "contracts show does not use --search; only contracts list does" "$assay" contracts show vllm.group_fp8 --search x
echo passed
