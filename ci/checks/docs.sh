#!/usr/bin/env bash
# The reference pages equal what the program writes, a stale page is reported, and every link between Markdown files works.
. "$(dirname "$0")/lib.sh"
expect 0 "" "$assay" docs --check "$root/docs/reference"
mkdir -p "$scratch/docs"
cp -r "$root/docs/reference" "$scratch/docs/"
cp "$root/README.md" "$scratch/"
expect 0 "" "$assay" docs --check "$scratch/docs/reference"
for page in commands contract-cells reports ops status; do
  sed -i '8s/^/x/' "$scratch/docs/reference/$page.md"
  expect 1 "$page.md is stale" "$assay" docs --check "$scratch/docs/reference"
  cp "$root/docs/reference/$page.md" "$scratch/docs/reference/"
done
sed -i 's/^| Casts |.*/| Casts | 0 | 0 | 0 | 0 | |/' "$scratch/README.md"
expect 1 "README.md is stale" "$assay" docs --check "$scratch/docs/reference"
expect 2 "expected --output DIR or --check DIR" "$assay" docs

links() { python3 -B "$(dirname "$0")/links.py" "$1"; }
expect 0 "links" links "$root"
mkdir "$scratch/linked"
echo 'A [page](nowhere.md).' >"$scratch/linked/page.md"
expect 1 "page.md:1: nowhere.md does not exist" links "$scratch/linked"
echo passed
