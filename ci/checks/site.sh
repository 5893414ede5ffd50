#!/usr/bin/env bash
# The documentation builds as a site without a warning. A link, heading or navigation entry that leads to nothing is an error.
. "$(dirname "$0")/lib.sh"
"$root/ci/site" --build "$build" --no-install >"$scratch/log" 2>&1
code=$?
[ $code -ne 77 ] || { cat "$scratch/log"; exit 77; }
[ $code -eq 0 ] || fail "the site does not build"$'\n'"$(cat "$scratch/log")"
for page in README docs/quickstart docs/glossary suites/FINDINGS; do
  [ -s "$build/site/${page/README/index}.html" ] || fail "the site lacks the page of $page.md"
done
grep -q 'class="md-typeset__table"\|<table>' "$build/site/docs/ci-gate.html" || fail "docs/ci-gate.html has no table: a table after a paragraph became text"
tar -tzf "$build/site.tar.gz" >"$scratch/list" && grep -qx site/index.html "$scratch/list" || fail "site.tar.gz has no index.html"
! grep -rhoE '<(script|link|img|iframe)[^>]*(src|href)="?https?://[^">]*' "$build/site" --include='*.html' || fail "a page loads a file from another host"

# A small site must build; with one mistake at a time it must not.
tree=$scratch/tree
mkdir -p "$tree/docs" "$scratch/build"
ln -s "$build/venv" "$scratch/build/venv"
small() {
  sed '/^nav:/,$d' "$root/docs/mkdocs.yml" >"$tree/docs/mkdocs.yml"
  printf 'nav:\n  - README.md\n  - Page: docs/page.md\n' >>"$tree/docs/mkdocs.yml"
  printf '# Small\n\n[a page](docs/page.md#here)\n' >"$tree/README.md"
  printf '# Page\n\n## Here\n' >"$tree/docs/page.md"
}
small_site() { "$root/ci/site" --root "$tree" --build "$scratch/build" --no-install; }
small
expect 0 "2 pages" small_site
sed -i 's/page.md#/pages.md#/' "$tree/README.md"
expect 1 "README.md: docs/pages.md#here leads to a file that does not exist" small_site
small
sed -i 's/#here/#there/' "$tree/README.md"
expect 1 "#there" small_site
small
sed -i 's/Page: docs/Page: documents/' "$tree/docs/mkdocs.yml"
expect 1 "documents/page.md does not exist" small_site
echo passed
