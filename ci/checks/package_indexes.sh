#!/usr/bin/env bash
# No address of a package index or of a mirror stands in the tree: scripts ask pip and apt, whose settings hold behind a mirror, too. An
# address that is written down is seen.
. "$(dirname "$0")/lib.sh"

kinds='pypi|pythonhosted|devpi|debian|ubuntu'
hosts="[a-z0-9.-]*($kinds)[a-z0-9-]*\.(org|com|net|io)"
paths="[a-z+]+://[^][ \"'<>()]*($kinds|/simple|/dists)([^a-z0-9_.]|\$)"
settings='(index-url|find-links|INDEX_URL|FIND_LINKS|^deb(-src)?|URIs:)[= :"'"'"']+(\[[^]]*\] *)?[a-z+]+://'
addresses() { xargs -0 grep -nIiEH "$hosts|$paths|$settings" 2>/dev/null; }

found=$(cd "$root" && git ls-files -z -co --exclude-standard | addresses)
[ -z "$found" ] || fail "addresses of package indexes; ask pip or apt instead:"$'\n'"$found"

# These addresses are put together here, for the check reads this file, too.
web='https:/' org=.org
seen() { [ -n "$(printf '%s\n' "$1" >"$scratch/line" && printf '%s\0' "$scratch/line" | addresses)" ]; }
for line in "urlopen(f\"$web/pypi$org/{name}/\")" "$web/files.pythonhosted$org/packages/x.tar.gz" "deb $web/deb.debian$org trixie main" \
  "debootstrap trixie x $web/mirror.example/debian" "$web/mirror.example/ubuntu/dists/noble" "curl $web/packages.example/py/simple/numpy" \
  "pip install --index-url=$web/packages.example/py numpy" "PIP_INDEX_URL='$web/packages.example/py'" "deb [trusted=yes] $web/packages.example/x y main"; do
  seen "$line" || fail "not seen: $line"
done
for line in "No release on PyPI is newer." "PIP_INDEX_URL names another index" "$web/github.example/vllm/blob/main/simple.py" "a minimal Debian by debootstrap" \
  'page = f"{index()}/{name}/"'; do
  ! seen "$line" || fail "taken for an address: $line"
done
echo passed
