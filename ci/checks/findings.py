"""Compares FINDINGS.md with the case tables and the tables of faults, and the figures of README.md with FINDINGS.md and with
suites/judges/TABLES.md. usage: findings.py FINDINGS.md ROOT ASSAY [README.md]"""

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
                yield f"{title}: {table} is not a table"
        for command in re.findall(r"`(assay run [^`]*)`", section):
            if not selects_cases(assay, root, command):
                yield f"{title}: selects no case: {command}"
        said = re.search(r"\*\*Fault:\*\*(.*?)\*\*", section, re.S)
        for name in re.findall(r"`([a-z0-9_]+)`", said.group(1) if said else ""):
            if name not in faults:
                yield f"{title}: '{name}' is neither in faults.csv nor in strangers.csv"


def overview(text):
    """Checks the table above the sections: it must list each section once, with a kind."""
    listed = re.findall(r"^\| \[(.+)\]\(#.*\) \| (wrong|crash|executed|unreleased|inferred|other bits) \| .+ \|$", text, re.M)
    titles = [section.split("\n")[0] for section in text.split("\n## ")[1:]]
    if [title for title, _ in listed] != titles:
        yield "the table does not list the sections in their order, each with a kind: " + ", ".join(set(titles) ^ {title for title, _ in listed})


def figures(text, tables):
    """Texts that README.md must contain: numbers of findings, and shares of planted faults that acceptance rules of other projects miss."""
    faults = own = assays_data = rules = 0
    for row in re.findall(r"^\| \d+ \| \w+ \| (\d+) \| \d+, (\d+), \d+ \| [^|]* \| (\d+) \|", tables, re.M):
        rules, faults, own, assays_data = rules + 1, faults + int(row[0]), own + int(row[1]), assays_data + int(row[2])
    planted = re.search(r"\*\*assay\*\* \| (\d+) \| \| \| \1 \|", tables)[1]
    bugs = len(re.findall(r"\) \| (?:wrong|crash) \|", text))
    yield f"**{bugs} wrong results or crashes in released kernels**"
    yield f"{text.count(chr(10) + '## ')} findings"
    yield f"**{rules} acceptance rules of other projects miss {100 * (faults - own) / faults:.0f} % of planted faults**"
    yield f"{100 * (faults - assays_data) / faults:.0f} % on Assay's"
    yield f"all {planted}"


def main():
    text, root, assay = pathlib.Path(sys.argv[1]).read_text(), pathlib.Path(sys.argv[2]), sys.argv[3]
    readme = pathlib.Path(sys.argv[4] if len(sys.argv) > 4 else root / "README.md").read_text()
    found = list(complaints(text, root, assay)) + list(overview(text))
    found += [f"README.md does not say: {figure}" for figure in figures(text, (root / "suites/judges/TABLES.md").read_text()) if figure not in " ".join(readme.split())]
    print("\n".join(found) or f"{text.count(chr(10) + '## ')} sections")
    return bool(found)


sys.exit(main())
