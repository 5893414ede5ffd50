#!/usr/bin/env bash
# ci/run_tutorials.py, which the tests docs/* call: it runs the blocks of a page in a scratch folder and fails if the page is stale.
. "$(dirname "$0")/lib.sh"
page=$scratch/page.md
run() { python3 -B "$root/ci/run_tutorials.py" --build "$build" "$@" "$page"; }
right() {
  cat >"$page" <<'END'
A file, its use, and an output with two elisions:

```c title="sub/answer.txt"
42
```
```sh
cat sub/answer.txt
build/assay --version >version.txt && [ -e CMakeLists.txt ]
printf 'took %s s\nmore\nthe end\n' 0.5
```
```
42
took ... s
...
the end
```
<!-- exits 3 -->

```sh
exit 3
```
<!-- not run: needs a GPU -->

```sh
false
```
END
}
right
expect 0 "2 blocks run" run
expect 0 "needs a GPU" run
[ ! -e "$root/sub" ] && [ ! -e "$root/version.txt" ] || fail "a page wrote a file into the source tree"
stale() {
  right
  sed -i "$1" "$page"
  expect 1 "$2" run
}
stale 's/^took/needed/' 'expected: needed ... s'
stale 's/^the end$/the start/' 'expected: the start'
stale '/^the end$/d; /^more/d; /^\.\.\.$/d' 'expected: the end of the output'
stale 's/exits 3/exits 1/' 'expected exit code 1, got 3'
stale 's/^cat sub/cat nosub/' 'expected exit code 0, got 1'
stale '/^```c title/,/^```$/d' 'expected exit code 0, got 1'
stale 's/^```sh$/```console/' 'no block was run'
stale '$d' 'the code block has no closing'

# A page that needs a missing program is skipped, and the program is named. An error before that point still fails.
right
printf '<!-- needs: no-such-program -->\n\n```sh\nno-such-program\n```\n' >>"$page"
expect 77 "SKIPPED: page.md needs no-such-program" run
sed -i 's/^took/needed/' "$page"
expect 1 "expected: needed" run

# --write replaces outputs that differ and keeps the `...`.
right
cp "$page" "$scratch/right.md"
sed -i 's/^42$/43/; s/^the end/an end/' "$page"
sed -i '0,/^43$/s//42/' "$page"
expect 0 "1 outputs replaced" run --write
diff "$scratch/right.md" "$page" || fail "--write does not restore the page"

# Every page with shell blocks has a test docs/*, and no test names another page.
pages=$(cd "$root/docs" && grep -l '^```sh' -- *.md guides/*.md | sed 's/\.md$//' | sort)
tests=$(ctest --test-dir "$build" -N -R '^docs/' | sed -n 's|.*: docs/||p' | grep -vx site | sort)
# extending.md has no test: it explains how to change the project, and its commands edit the checkout.
diff <(grep -vx extending <<<"$pages") <(echo "$tests") || fail "pages with shell blocks (<) and tests docs/* (>) differ"
echo passed
