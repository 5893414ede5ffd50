#!/usr/bin/env bash
# Runs a file of tests against the build tree; skips without numpy, ml_dtypes or pytest. usage: run.sh BUILD FILE
here=$(cd "$(dirname "$0")" && pwd)
build=$1
python=$build/venv/bin/python3
[ -x "$python" ] || { echo "SKIPPED: no $python; ci/test makes it"; exit 77; }
for module in numpy ml_dtypes pytest; do
  "$python" -c "import $module" 2>/dev/null || { echo "SKIPPED: no Python module $module; ci/test installs it"; exit 77; }
done
for file in "$build/assay" "$build/lib/libassay_check.so"; do
  [ -e "$file" ] || { echo "SKIPPED: $file is not built"; exit 77; }
done
export PYTHONPATH=$here/..:$here/../examples ASSAY_PROGRAM=$build/assay ASSAY_CHECK_LIBRARY=$build/lib/libassay_check.so
export PYTHONDONTWRITEBYTECODE=1
exec "$python" -m pytest -q -p no:cacheprovider "$here/$2"
