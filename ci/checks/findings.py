"""Holds FINDINGS.md against the case tables and the tables of faults. usage: findings.py FINDINGS.md ROOT ASSAY"""

import csv
import pathlib
import re
import shlex
import subprocess
import sys

WORDS = ("Kernel", "What happens", "Where it begins", "Reproducer", "Command", "Fault", "Evidence", "Report")


def known_faults(root):
    faults = {row["fault"] for row in csv.DictReader(open(root / "suites/catches/faults.csv"))}
    return faults | {row["kernel"] for row in csv.DictReader(open(root / "suites/catches/strangers.csv"))}


def selects_cases(assay, root, command):
    words = shlex.split(command)
    chosen = [word for i, word in enumerate(words) if word in ("--suite", "--case") or words[i - 1] in ("--suite", "--case")]
    listed = subprocess.run([assay, "list", *chosen], cwd=root, capture_output=True, text=True)
    return listed.returncode == 0 and bool(listed.stdout.strip())


def complaints(text, root, assay):
    faults = known_faults(root)
    for section in text.split("\n## ")[1:]:
        title = section.split("\n")[0]
        for word in WORDS:
            if f"**{word}:**" not in section:
                yield f"{title}: says no **{word}:**"
        for table in re.findall(r"suites/\S+?\.csv", section):
            if not (root / table).is_file():
                yield f"{title}: {table} is no table"
        for command in re.findall(r"`(assay run [^`]*)`", section):
            if not selects_cases(assay, root, command):
                yield f"{title}: selects no case: {command}"
        said = re.search(r"\*\*Fault:\*\*(.*?)\*\*", section, re.S)
        for name in re.findall(r"`([a-z0-9_]+)`", said.group(1) if said else ""):
            if name not in faults:
                yield f"{title}: '{name}' is neither in faults.csv nor in strangers.csv"


def main():
    text, root, assay = pathlib.Path(sys.argv[1]).read_text(), pathlib.Path(sys.argv[2]), sys.argv[3]
    found = list(complaints(text, root, assay))
    print("\n".join(found) or f"{text.count(chr(10) + '## ')} sections")
    return bool(found)


sys.exit(main())
