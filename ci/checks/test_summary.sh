#!/usr/bin/env bash
# The last line of ci/test: CTest's outcomes, the reason printed by each skipped test, and tests skipped inside GoogleTest
# programs.
. "$(dirname "$0")/lib.sh"
cat >"$scratch/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(tests NONE)
enable_testing()
add_test(NAME passes COMMAND sh -c "echo fine")
add_test(NAME partly COMMAND sh -c "seq 2000; printf 'a_test.cpp:7: Skipped\nno avx512 (this processor)\n\n[  SKIPPED ] A.b\n'")
foreach(name one two three)
  add_test(NAME ${name} COMMAND sh -c "seq 2000; echo 'SKIPPED: no ${name} (package ${name})'; exit 77")
endforeach()
add_test(NAME again COMMAND sh -c "echo 'SKIPPED: no one; try two'; exit 77")
add_test(NAME silent COMMAND sh -c "exit 77")
set_tests_properties(one two three again silent PROPERTIES SKIP_RETURN_CODE 77)
add_test(NAME fails COMMAND sh -c "echo 'SKIPPED: no luck'; exit 1")
add_test(NAME lacks_program COMMAND /nowhere/program)
END
cmake -G Ninja -S "$scratch" -B "$scratch/tests" >"$scratch/log" 2>&1 || fail "$(cat "$scratch/log")"
# summary PATTERN: prints the summary of the tests that match.
summary() {
  ctest --test-dir "$scratch/tests" --output-junit tests.xml --test-output-size-passed 1048576 -R "$1" >"$scratch/log" 2>&1
  python3 "$root/ci/test_summary.py" "$scratch/tests/tests.xml"
}
same() { [ "$2" = "$3" ] || fail "$1 gives"$'\n'"$2"$'\n'"instead of"$'\n'"$3"; }
same all "$(summary .)" "2 passed, 2 failed: fails, lacks_program, 5 skipped: no one 2, no reason given by silent 1, no three 1, no two 1; skipped inside programs that passed: no avx512 1"
same passes "$(summary '^passes$')" "1 passed, 0 failed, 0 skipped"
echo passed
