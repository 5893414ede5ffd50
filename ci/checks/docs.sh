#!/usr/bin/env bash
# The reference pages equal the program's output, a stale page is reported, every link between Markdown files works, and the
# glossary explains the words of reports.
. "$(dirname "$0")/lib.sh"
expect 0 "" "$assay" docs --check "$root/docs/reference"
mkdir -p "$scratch/docs"
cp -r "$root/docs/reference" "$scratch/docs/"
cp "$root/README.md" "$scratch/"
cp "$root/docs/test-rocm-without-gpu.md" "$scratch/docs/"
expect 0 "" "$assay" docs --check "$scratch/docs/reference"
for page in commands.md contract-cells.md reports.md ops.md status.md report.schema.json verdicts.schema.json; do
  sed -i '8s/^/x/' "$scratch/docs/reference/$page"
  expect 1 "$page is stale" "$assay" docs --check "$scratch/docs/reference"
  cp "$root/docs/reference/$page" "$scratch/docs/reference/"
done
sed -i 's/^| Casts |.*/| Casts | 0 | 0 | 0 | 0 | |/' "$scratch/README.md"
expect 1 "README.md is stale" "$assay" docs --check "$scratch/docs/reference"
sed -i 's/^There are [0-9]* contracts\./There are 1 contracts./' "$scratch/docs/test-rocm-without-gpu.md"
expect 1 "test-rocm-without-gpu.md is stale" "$assay" docs --check "$scratch/docs/reference"
expect 2 "expected --output DIR or --check DIR" "$assay" docs

# Every contract that test-rocm-without-gpu.md lists as not executed has a reason there, and every reason has a contract.
reasons() { python3 -B - "$1" <<'PYTHON'; }
import fnmatch, re, sys
text = open(sys.argv[1]).read()
listed, rest = text.split("<!-- begin: executed contracts -->")[1].split("<!-- end: executed contracts -->")
contracts = re.findall(r"^\| `([^`]+)` \|", listed, re.M)
globs = [glob for cell in re.findall(r"^\| (`.*?) \|", rest, re.M) for glob in re.findall("`([^`]+)`", cell)]
flaws = [f"{c}: has no reason why its code was not executed" for c in contracts if not any(fnmatch.fnmatch(c, g) for g in globs)]
flaws += [f"{g}: expected a contract whose code was not executed" for g in globs if not any(fnmatch.fnmatch(c, g) for c in contracts)]
print("\n".join(flaws) or f"{len(contracts)} contracts whose code was not executed, each with a reason")
sys.exit(bool(flaws or not contracts))
PYTHON
expect 0 "each with a reason" reasons "$root/docs/test-rocm-without-gpu.md"
sed 's/`aiter.double_quant_eager` | its/`aiter.double_quant_late` | its/' "$root/docs/test-rocm-without-gpu.md" >"$scratch/docs/reasons.md"
expect 1 "aiter.double_quant_eager: has no reason why its code was not executed" reasons "$scratch/docs/reasons.md"
expect 1 "aiter.double_quant_late: expected a contract whose code was not executed" reasons "$scratch/docs/reasons.md"

# The glossary has a heading for each outcome, and for each line of a failure that the program prints.
defined() {
  local words word missing=""
  words="pass fail skip untrusted broken flaky unjudged $("$assay" run --backend "$scratch/libwrong.so" --suite rms_norm/quick --case '*/bf16.m4.n1024.eps1e-6/normal*' | sed -n '/^FAIL/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort -u | tr '\n' ' ')"
  for word in $words; do grep -qxF "### $word" "$1" || missing+=" $word"; done
  echo "$(wc -w <<<"$words") words of reports; words without an entry in the glossary:${missing:- none}"
  [ -z "$missing" ] && [[ " $words " == *" cause "* ]]
}
sed 's/(bits + 0x7fffu + (bits >> 16 & 1u)) >> 16/bits >> 16/' "$root/kernels/example_plugin/my_rms_norm.c" >"$scratch/wrong.c"
cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I"$root/kernels/abi" "$scratch/wrong.c" -lm -o "$scratch/libwrong.so" || fail "the kernel library with a planted mistake does not compile"
expect 0 "without an entry in the glossary: none" defined "$root/docs/glossary.md"
sed 's/^### cause$/### causes/' "$root/docs/glossary.md" >"$scratch/glossary.md"
expect 1 "without an entry in the glossary: cause" defined "$scratch/glossary.md"

links() { python3 -B "$(dirname "$0")/pages.py" links "$1"; }
expect 0 "links" links "$root"
mkdir "$scratch/linked"
echo 'A [page](nowhere.md).' >"$scratch/linked/page.md"
expect 1 "page.md:1: nowhere.md does not exist" links "$scratch/linked"
echo passed
