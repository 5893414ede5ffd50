#!/usr/bin/env bash
# Tests that each library exports assay_get_library and nothing else. usage: exports_test.sh NM LIBRARY...
set -euo pipefail
nm=$1 status=0
shift
for library in "$@"; do
  names=$("$nm" -D --defined-only "$library" | awk '{print $NF}' | xargs)
  [ "$names" = assay_get_library ] && continue
  echo "$library: expected the only export 'assay_get_library', got '$names'"
  status=1
done
exit $status
