"""Prints in one line how many tests passed, failed and were skipped, and why they were skipped.
usage: test_summary.py JUNIT-FILE   (written by ctest --output-junit)

A skipped test prints `SKIPPED: reason`. A reason ends before ` (` or `;`, because advice follows there. A GoogleTest program
that passes can skip single tests; these are counted at the end of the line."""

import collections
import re
import sys
import xml.etree.ElementTree


def reason(text):
    return re.split(r" \(|;", text.strip())[0]


def counted(reasons):
    return ", ".join(f"{why} {count}" for why, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def main(path):
    passed, failed, skipped, single = 0, [], collections.Counter(), collections.Counter()
    for test in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        text = test.findtext("system-out") or ""
        kind = test.find("skipped")
        # CTest also calls a test skipped if its program or file does not exist. Such a test counts as failed here, as it does for CTest's exit code.
        if kind is not None and kind.get("message", "").startswith("SKIP_"):
            said = re.findall(r"^SKIPPED: (.*)", text, re.M)
            skipped[reason(said[-1]) if said else f"no reason given by {test.get('name')}"] += 1
        elif test.get("status") == "run":
            passed += 1
            for why in re.findall(r": Skipped\n(.+)", text):
                single[reason(why)] += 1
        else:
            failed.append(test.get("name"))
    line = f"{passed} passed, {len(failed)} failed" + (": " + ", ".join(failed) if failed else "")
    line += f", {skipped.total()} skipped" + (": " + counted(skipped) if skipped else "")
    if single:
        line += f"; skipped inside programs that passed: {counted(single)}"
    print(line)


main(sys.argv[1])
