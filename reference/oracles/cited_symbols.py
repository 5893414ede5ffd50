#!/usr/bin/env python3
"""Checks that the code that a contract describes exists in the release that its row names.

usage: cited_symbols.py                  every contract row has a line in symbols.csv, and the lines match their rows
       cited_symbols.py --check SOURCES  also checks that each symbol is at its line, in the sources in folder SOURCES
       cited_symbols.py --write SOURCES  writes the lines that it finds into the column `line`

symbols.csv: `contract` ids with * and |; `release` as v0.33.0 or a commit; `file` below the root of the release; `symbol` a string of
that file; `line`: the line where it first occurs, "none" if the release lacks it, "unread" if the sources were not available.
SOURCES: PROJECT-VERSION folders with unpacked sources (vllm-0.33.0), or repositories called PROJECT whose tag or commit is asked.
"""
import csv
import fnmatch
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SYMBOLS = os.path.join(ROOT, "reference", "contracts", "symbols.csv")
# Casts belong to library versions; tables without a column `since` contain no contracts.
NO_CONTRACTS = {"casts.csv"}


def contracts():
    rows = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "reference", "contracts", "*.csv"))):
        if os.path.basename(path) in NO_CONTRACTS:
            continue
        with open(path, newline="") as file:
            table = csv.DictReader(file)
            if {"id", "since", "until"} <= set(table.fieldnames):
                rows.update((row["id"], row) for row in table)
    return rows


def symbols():
    with open(SYMBOLS, newline="") as file:
        return list(csv.DictReader(file))


def version(text):
    return [int(part) for part in re.findall(r"\d+", text)]


def periods(row):
    """The pairs of releases (since, until) of a row that names releases."""
    sinces, untils = row["since"].split("; "), row["until"].split("; ") if row["until"] else []
    return [(since, untils[i] if i < len(untils) else "") for i, since in enumerate(sinces)]


def holds(row, release):
    """True if a row claims that a release has its code; None if it names no comparable release."""
    known = [(since, until) for since, until in periods(row) if since.startswith("v")]
    if not known or not release.startswith("v"):
        return None
    return any(version(since) <= version(release) and (not until or version(release) < version(until)) for since, until in periods(row)
               if since.startswith("v") or (until and version(release) < version(until)))


def covered(rows, lines):
    wrong = []
    for contract, row in rows.items():
        if contract.startswith(("assay.", "trtllm.", "torch.", "triton.")):
            continue  # proposed by this project, from a project whose releases were not read, or a compiler's transformation
        mine = [line for line in lines if any(fnmatch.fnmatchcase(contract, one) for one in line["contract"].split("|"))]
        if not mine:
            wrong.append(f"{contract}: symbols.csv has no line for it")
        if row["since"] == "unmerged":
            wrong += [f"{contract}: its row says 'unmerged', but {line['release']} contains {line['symbol']}" for line in mine if line["line"] != "none"]
            continue
        if mine and not any(line["line"] != "none" and holds(row, line["release"]) is not False for line in mine):
            wrong.append(f"{contract}: no release that its row covers contains one of its symbols")
    for line in lines:
        if not any(fnmatch.fnmatchcase(contract, one) for one in line["contract"].split("|") for contract in rows):
            wrong.append(f"symbols.csv: '{line['contract']}' is not a contract")
    return wrong


def text_of(sources, project, release, path):
    folder = os.path.join(sources, f"{project}-{release.removeprefix('v')}")
    if os.path.isdir(folder):
        try:
            with open(os.path.join(folder, path), errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return None
    repository = os.path.join(sources, project)
    if os.path.isdir(repository):
        shown = subprocess.run(["git", "-C", repository, "show", f"{release}:{path}"], capture_output=True)
        return shown.stdout.decode(errors="replace") if shown.returncode == 0 else None
    raise SystemExit(f"{sources} has neither {project}-{release.removeprefix('v')} nor a repository {project}")


def found_in(text, symbol):
    if text is None:
        return "none"
    place = text.find(symbol)
    return "none" if place < 0 else str(text.count("\n", 0, place) + 1)


def main(arguments):
    lines = symbols()
    if len(arguments) == 2 and arguments[0] in ("--check", "--write"):
        wrong = []
        for line in lines:
            if line["line"] == "unread":
                continue
            found = found_in(text_of(arguments[1], line["project"], line["release"], line["file"]), line["symbol"])
            if found != line["line"]:
                wrong.append(f"{line['project']} {line['release']} {line['file']} {line['symbol']}: found in line {found}, but symbols.csv says {line['line'] or 'nothing'}")
            line["line"] = found
        if arguments[0] == "--write":
            with open(SYMBOLS, "w", newline="") as file:
                writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(lines)
            wrong = []
    elif arguments:
        raise SystemExit(__doc__)
    else:
        wrong = []
    wrong += covered(contracts(), lines)
    for one in wrong:
        print(one)
    print(f"{len(lines)} symbols of {len(contracts())} contracts: {'as symbols.csv says' if not wrong else f'{len(wrong)} errors'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
