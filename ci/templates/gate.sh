#!/usr/bin/env bash
# The gate of a CI job, called by the GitHub action and the GitLab template. It records a run, compares it with the baseline if there is one,
# and writes reports. Settings are environment variables:
#   ASSAY_BACKEND    kernel library (required)             ASSAY_SUITE     suites, separated by spaces (default: quick)
#   ASSAY_ARCHIVE    file or URL of the binary tarball; empty: `assay` on the PATH
#   ASSAY_SHA256     SHA-256 of the tarball; required for a URL
#   ASSAY_BASELINE   folder of the earlier recording; if it does not exist, only the run's own verdicts count
#   ASSAY_KNOWN      known-failures list                   ASSAY_OPTIONS   more options of assay gate, such as --strict --same-bits
#   ASSAY_RUN_OPTIONS  more options of assay run, such as --rerun-failed 3 --history runs.sqlite; for the full tier, ASSAY_SUITE=full
#   ASSAY_SHARD      such as 2/4: only records the second of four shares
#   ASSAY_RECORDING  folder with the recorded shares of earlier jobs; the gate compares it instead of a new run
#   ASSAY_OUT        folder of the reports and of the recording (default: assay-out)
# Exit code: that of assay gate; without a baseline, that of assay run. A share ends with 0 if it could be recorded.
set -euo pipefail
out=${ASSAY_OUT:-assay-out}
fail() { echo "gate.sh: $*" >&2; exit 2; }
recording=${ASSAY_RECORDING:-}
[ -n "${ASSAY_BACKEND:-}" ] || [ -n "$recording" ] || fail "ASSAY_BACKEND: expected a kernel library, got nothing"
rm -rf "$out"
mkdir -p "$out"

if [ -n "${ASSAY_ARCHIVE:-}" ]; then
  archive=$ASSAY_ARCHIVE
  case $archive in
    http*)
      [ -n "${ASSAY_SHA256:-}" ] || fail "ASSAY_SHA256: expected the digest of $archive, got nothing"
      archive=$out/assay.tar.gz
      curl -fsSL "$ASSAY_ARCHIVE" -o "$archive"
      ;;
  esac
  [ -z "${ASSAY_SHA256:-}" ] || echo "$ASSAY_SHA256  $archive" | sha256sum --check --quiet || fail "$archive: the SHA-256 digest is not $ASSAY_SHA256"
  program=$(mktemp -d)
  trap 'rm -rf "$program"' EXIT
  tar -C "$program" --strip-components=1 -xzf "$archive"
  PATH=$program/bin:$PATH
fi

suites=() known=() options=() run_options=()
for suite in ${ASSAY_SUITE:-quick}; do suites+=(--suite "$suite"); done
[ -z "${ASSAY_KNOWN:-}" ] || known=(--known-failures "$ASSAY_KNOWN")
read -ra options <<<"${ASSAY_OPTIONS:-}"
read -ra run_options <<<"${ASSAY_RUN_OPTIONS:-}"
reports=(--report console --report md:"$out/assay.md" --report junit:"$out/assay.xml" --report html:"$out/assay.html" --report json:"$out/assay.json"
  --report sarif:"$out/assay.sarif")
[ -z "${GITHUB_ACTIONS:-}" ] || [ -n "${ASSAY_SHARD:-}" ] || reports+=(--report github)  # only the gate writes annotations, not the shares

record() { assay run --backend "$ASSAY_BACKEND" "${suites[@]}" "${known[@]}" "${run_options[@]}" --record "$out/recording" "$@"; }
# Exit code 1 (some verdict is not as expected) leaves the decision to the gate. Other codes end the job.
recorded() {
  local status=0
  record "$@" || status=$?
  [ "$status" -le 1 ] || exit "$status"
}
if [ -n "${ASSAY_SHARD:-}" ]; then
  recorded --shard "$ASSAY_SHARD" "${reports[@]}"
  exit 0
fi

gated=
[ -z "${ASSAY_BASELINE:-}" ] || [ ! -e "$ASSAY_BASELINE" ] || gated=yes
if [ -z "$gated" ]; then
  [ -z "${ASSAY_BASELINE:-}" ] || echo "gate.sh: no baseline in $ASSAY_BASELINE yet: the job fails if a verdict is not as expected"
  if [ -n "$recording" ]; then assay judge "$recording" "${known[@]}" "${reports[@]}"; else record "${reports[@]}"; fi
  exit
fi
if [ -z "$recording" ]; then
  recorded --report csv:"$out/run.csv"
  recording=$out/recording
fi
assay gate --baseline "$ASSAY_BASELINE" "$recording" "${suites[@]}" "${known[@]}" "${options[@]}" "${reports[@]}"
