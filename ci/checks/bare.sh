#!/usr/bin/env bash
# ci/bare reports missing requirements, rejects wrong usage, and leaves no folder, process or mount behind however it ends. Only
# ci/tables creates the real system; here a stub replaces debootstrap.
. "$(dirname "$0")/lib.sh"
expect 2 "expected bookworm or trixie, got 'sid'" "$root/ci/bare" sid
expect 2 "unknown argument '--comit'" "$root/ci/bare" trixie --comit HEAD
expect 77 "/nowhere/debootstrap (package debootstrap)" env DEBOOTSTRAP=/nowhere/debootstrap "$root/ci/bare" trixie

mkdir "$scratch/folders"
export TMPDIR=$scratch/folders LOGS=$scratch/logs DEBOOTSTRAP=$scratch/debootstrap MIRROR=http://mirror.invalid/
cat >"$DEBOOTSTRAP" <<'END'
#!/usr/bin/env bash
echo "E: no release file at $4"
exit 1
END
chmod +x "$DEBOOTSTRAP"
left() { find "$scratch/folders" -mindepth 1; grep -F "$scratch" /proc/mounts; grep -lF "$scratch/folders" /proc/[0-9]*/cmdline 2>/dev/null; }
lacks=$("$root/ci/bare" trixie 2>/dev/null) && code=0 || code=$?
[ $code -ne 77 ] || skip "${lacks#SKIPPED: }"
expect 3 "E: no release file at http://mirror.invalid/" "$root/ci/bare" trixie
expect 3 "cannot install trixie from http://mirror.invalid/; try MIRROR=URL" "$root/ci/bare" trixie
expect 2 "no commit 'no-such-commit'" "$root/ci/bare" trixie --commit no-such-commit
[ -z "$(left)" ] || fail "after a failed debootstrap there is left: $(left)"

# Kills ci/bare while debootstrap (here a stub) fills the root folder, in which it has a mount and a process; nothing may remain.
cat >"$DEBOOTSTRAP" <<'END'
#!/usr/bin/env bash
mkdir -p "$3/proc" && mount -t proc proc "$3/proc" && touch "$3/made" && exec -a "$3/sleep" sleep 1000
END
for signal in INT TERM HUP KILL; do
  env --default-signal=INT "$root/ci/bare" trixie >"$scratch/log" 2>&1 &
  run=$!
  until compgen -G "$scratch/folders/*/system/made" >/dev/null; do
    kill -0 $run 2>/dev/null || fail "ci/bare ended before it could be killed: $(cat "$scratch/log")"
    sleep 0.1
  done
  kill -$signal $run
  wait $run 2>/dev/null && code=0 || code=$?
  [ $code -eq $((128 + $(kill -l $signal))) ] || fail "SIG$signal: expected exit code $((128 + $(kill -l $signal))), got $code"
  for _ in {1..100}; do
    [ -n "$(left)" ] || break
    sleep 0.1
  done
  [ -z "$(left)" ] || fail "after SIG$signal there is left: $(left)"
done
echo passed
