#!/usr/bin/env bash
# The tree contains no address of a package index or mirror: scripts use pip and apt, whose settings also work behind a mirror. A
# planted address is detected. ci/witness uses the index from pip's settings, with a password and with both page formats.
. "$(dirname "$0")/lib.sh"

kinds='pypi|pythonhosted|devpi|debian|ubuntu'
hosts="[a-z0-9.-]*($kinds)[a-z0-9-]*\.(org|com|net|io)"
paths="[a-z+]+://[^][ \"'<>()]*($kinds|/simple|/dists)([^a-z0-9_.]|\$)"
settings='(index-url|find-links|INDEX_URL|FIND_LINKS|^deb(-src)?|URIs:)[= :"'"'"']+(\[[^]]*\] *)?[a-z+]+://'
addresses() { xargs -0 grep -nIiEH "$hosts|$paths|$settings" 2>/dev/null; }

found=$(cd "$root" && git ls-files -z -co --exclude-standard | addresses)
[ -z "$found" ] || fail "these lines contain the address of a package index; call pip or apt instead:"$'\n'"$found"

# assembled from parts, since the check also reads this file
web='https:/' org=.org
seen() { [ -n "$(printf '%s\n' "$1" >"$scratch/line" && printf '%s\0' "$scratch/line" | addresses)" ]; }
for line in "urlopen(f\"$web/pypi$org/{name}/\")" "$web/files.pythonhosted$org/packages/x.tar.gz" "deb $web/deb.debian$org trixie main" \
  "debootstrap trixie x $web/mirror.example/debian" "$web/mirror.example/ubuntu/dists/noble" "curl $web/packages.example/py/simple/numpy" \
  "pip install --index-url=$web/packages.example/py numpy" "PIP_INDEX_URL='$web/packages.example/py'" "deb [trusted=yes] $web/packages.example/x y main"; do
  seen "$line" || fail "not reported as an address: $line"
done
for line in "No release on PyPI is newer." "PIP_INDEX_URL names another index" "$web/github.example/vllm/blob/main/simple.py" "a minimal Debian by debootstrap" \
  'page = f"{index()}/{name}/"'; do
  ! seen "$line" || fail "wrongly reported as an address: $line"
done

# A local index with one source distribution, as JSON (PEP 691) or HTML (PEP 503), protected by a password.
cat >"$scratch/index.py" <<'END'
import base64, hashlib, http.server, io, json, sys, tarfile
page_kind, damaged, climbs = sys.argv[1], "damaged" in sys.argv, "climbs" in sys.argv
archive = io.BytesIO()
with tarfile.open(fileobj=archive, mode="w:gz") as tar:
    tar.addfile(tarfile.TarInfo("../outside" if climbs else "some_package-1.0/setup.py"))
data = archive.getvalue()
digest = hashlib.sha256(data + b"." * damaged).hexdigest()
name = "some_package-1.0.tar.gz"
json_page = json.dumps({"files": [{"filename": name, "url": "../../files/" + name, "hashes": {"sha256": digest}}]})
html_page = f'<!DOCTYPE html><a href="../../files/{name}#sha256={digest}">{name}</a>'
class Index(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.headers.get("Authorization") == "Basic " + base64.b64encode(b"me:p@ss").decode()
        page = {"/py/some-package/": (json_page if page_kind == "json" else html_page).encode(), "/files/" + name: data}.get(self.path)
        self.send_response(401 if not allowed else 404 if page is None else 200)
        self.send_header("Content-Type", "text/html" if page_kind == "html" else "application/vnd.pypi.simple.v1+json")
        self.end_headers()
        self.wfile.write(page or b"")
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Index)
print(server.server_port, flush=True)
server.serve_forever()
END
fetch() { # fetch HOST_WITH_PASSWORD PACKAGE: downloads the package from the index at $port
  local index=http://$1:$port/py/
  (cd "$root" && PIP_CONFIG_FILE=/dev/null PIP_INDEX_URL=$index python3 ci/witness_sources.py "$2" "${2/==/-}" "$scratch/fetched")
}
server=
trap '[ -z "$server" ] || kill $server 2>/dev/null; rm -rf "$scratch"' EXIT
for kind in json html "html damaged" "json climbs"; do
  # shellcheck disable=SC2086
  python3 "$scratch/index.py" $kind >"$scratch/port" &
  server=$!
  until [ -s "$scratch/port" ] || ! kill -0 $server; do sleep 0.1; done
  port=$(cat "$scratch/port")
  rm -rf "$scratch/fetched"
  if [ "$kind" = "html damaged" ]; then
    expect 1 "its SHA-256 differs from the package index" fetch me:p%40ss@127.0.0.1 some_package==1.0
  elif [ "$kind" = "json climbs" ]; then
    expect 1 "outside" fetch me:p%40ss@127.0.0.1 some_package==1.0
    [ ! -e "$scratch/outside" ] || fail "a file of a source distribution landed outside its folder"
  else
    expect 0 "" fetch me:p%40ss@127.0.0.1 some_package==1.0
    [ -f "$scratch/fetched/some_package-1.0/setup.py" ] || fail "a source distribution of the $kind index is not unpacked"
    expect 1 "has neither some_package-2.0.tar.gz" fetch me:p%40ss@127.0.0.1 some_package==2.0
    expect 1 "401" fetch 127.0.0.1 some_package==1.0
  fi
  kill $server
  : >"$scratch/port"
done
expect 1 "try another index with PIP_INDEX_URL" fetch 127.0.0.1 some_package==1.0
echo passed
