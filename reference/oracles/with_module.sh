#!/bin/sh
# Runs a script with the first Python that can import a module; exit code 77 if none can.
# usage: with_module.sh MODULE PYTHON SCRIPT [ARGUMENTS]; tried: $ASSAY_PYTHON, PYTHON, python3
module=$1
first=$2
shift 2
for python in "${ASSAY_PYTHON:-}" "$first" python3; do
  [ -n "$python" ] && "$python" -c "import numpy, $module" 2>/dev/null && exec "$python" "$@"
done
echo "SKIPPED: no Python has $module; set ASSAY_PYTHON to a Python that imports numpy and $module"
exit 77
