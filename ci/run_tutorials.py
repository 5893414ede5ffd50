#!/usr/bin/env python3
"""Runs the shell blocks of documentation pages and compares what they print with the page.

usage: ci/run_tutorials.py [--build DIR] [--write] PAGE.md...

A page runs from top to bottom in a new folder with links to all files of this checkout, in which `build` is --build.
Each ```sh block is one bash script with `set -e`, started in that folder. Its last command must succeed.

    ```sh                       the block is run
    ``` or ```text              directly after a ```sh block: its output, stdout and stderr together
    ```LANGUAGE title="NAME"    written to the file NAME
    <!-- exits 1 -->            before a block: the block's exit code
    <!-- not run: REASON -->    before a block: it is not run
    <!-- needs: WORD... -->     commands, files or `python:MODULE`; if one is missing, the page is skipped (exit code 77)

In an output a line `...` stands for any lines, and `...` within a line for any characters. --write replaces stale
outputs and keeps the `...`. The exit code is 1 if an output or an exit code differs, or if a page runs nothing."""

import argparse
import difflib
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w*)[ \t]*(?:title=\"([^\"]+)\")?[ \t]*$")
MARKER = re.compile(r"^<!-- (exits|not run:|needs:) ?(.*?) ?-->$")
OUTPUT_LANGUAGES = ("", "text")
SECONDS = 300  # time limit of one block


class Block:
    def __init__(self, language, file, first, marks):
        self.language, self.file, self.first, self.marks = language, file, first, marks
        self.lines, self.output = [], None

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"


def blocks_of(lines):
    """Returns the fenced blocks of a page. An output block belongs to the block before it if only empty lines lie between."""
    blocks, marks, block, adjacent = [], {}, None, False
    for number, line in enumerate(lines):
        if block is not None:
            if line.rstrip() == "```":
                block = None
            else:
                block.lines.append(line.rstrip("\n"))
        elif fence := FENCE.match(line.rstrip("\n")):
            block = Block(fence[1], fence[2], number + 1, marks)
            if adjacent and fence[1] in OUTPUT_LANGUAGES and not fence[2] and not marks:
                blocks[-1].output = block
                adjacent = False
            else:
                blocks.append(block)
                adjacent = fence[1] == "sh"
            marks = {}
        elif line.startswith("```"):
            raise ValueError(f"line {number + 1}: expected a code fence such as ```sh, got {line.rstrip()}")
        elif mark := MARKER.match(line.strip()):
            marks[mark[1].rstrip(":")] = mark[2]
        elif line.strip():
            adjacent, marks = False, {}
    if block is not None:
        raise ValueError(f"line {block.first}: the code block has no closing ```")
    return blocks


def is_like(pattern, line):
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.rstrip().split("...")), line.rstrip()) is not None


def first_difference(expected, got):
    """Returns None if the output matches the page; otherwise the number of the page's output lines that match."""
    reached = {0}  # numbers of lines of `got` that the patterns so far can match
    for number, pattern in enumerate(expected):
        if pattern.strip() == "...":
            reached = set(range(min(reached), len(got) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(got) and is_like(pattern, got[at])}
        if not reached:
            return number
    return None if len(got) in reached else len(expected)


def rewritten(expected, got):
    """Returns the new output for the page. The lines between two `...` are replaced by the output lines that resemble them most."""
    def nearest(pattern, begin):
        score = lambda at: 2.0 if is_like(pattern, got[at]) else difflib.SequenceMatcher(None, pattern, got[at]).ratio()
        return max(range(begin, len(got)), key=score, default=None)

    parts, stretch = [], []
    for line in expected + [None]:
        if line is None or line.strip() == "...":
            parts += [stretch] if stretch else []
            parts += [line] if line else []
            stretch = []
        else:
            stretch.append(line)
    result, begin = [], 0
    for at, part in enumerate(parts):
        if isinstance(part, str):
            result.append(part)
            continue
        first = 0 if at == 0 else nearest(part[0], begin)
        last = len(got) - 1 if at == len(parts) - 1 else nearest(part[-1], first or 0)
        if first is None or last is None:
            return got
        for line in got[first : last + 1]:
            same = [pattern for pattern in part if is_like(pattern, line)]
            result.append(same[0] if same else line)
        begin = last + 1
    return result


def missing(words):
    """Returns the first of these commands, files and modules that this machine does not have."""
    for word in words:
        if word.startswith("python:"):
            if subprocess.run([python(), "-c", f"import {word[7:]}"], capture_output=True).returncode:
                return f"the Python module {word[7:]}"
        elif not (shutil.which(word) or (ROOT / word).exists() or (word.startswith("build/") and (BUILD / word[6:]).exists())):
            return word
    return None


def python():
    own = BUILD / "venv/bin/python3"
    return str(own) if own.exists() else sys.executable


def checkout(folder):
    for entry in ROOT.iterdir():
        if not entry.name.startswith((".git", "build")):
            (folder / entry.name).symlink_to(entry)
    (folder / "build").symlink_to(BUILD)


def environment(folder):
    paths = [str(BUILD), str(pathlib.Path(python()).parent)]
    own = {"PATH": ":".join(paths + [os.environ["PATH"]]), "PYTHONPATH": str(ROOT / "python"), "ASSAY_PROGRAM": str(BUILD / "assay"), "ASSAY_CHECK_LIBRARY": str(BUILD / "lib/libassay_check.so"), "PYTHONDONTWRITEBYTECODE": "1",
           "PYTEST_PLUGINS": "assay.pytest_plugin",
           "ASSAY_PYTHON": python(), "TMPDIR": str(folder / ".tmp"), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    (folder / ".tmp").mkdir()
    return {**{name: value for name, value in os.environ.items() if not name.startswith(("GTEST_", "SLURM_", "ASSAY_DEVICES"))}, **own}


def run_page(path, write):
    """Returns 0 if all outputs match the page, 1 if not, 77 if the page cannot run here."""
    lines = path.read_text().splitlines(keepends=True)
    try:
        blocks = blocks_of(lines)
    except ValueError as error:
        print(f"{path}: {error}")
        return 1
    ran, wrong, replaced, left_out = 0, 0, [], []
    with tempfile.TemporaryDirectory(prefix="tutorial") as scratch:
        folder = pathlib.Path(scratch)
        checkout(folder)
        variables = environment(folder)
        for block in blocks:
            where = f"{path}:{block.first}"
            if lack := missing(block.marks.get("needs", "").split()):
                print(f"SKIPPED: {path.name} needs {lack}")
                return 1 if wrong else 77
            if "not run" in block.marks:
                left_out.append(f"{where}: {block.marks['not run']}")
                continue
            if block.file:
                (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
                (folder / block.file).write_text(block.text)
                continue
            if block.language != "sh":
                continue
            ran += 1
            try:
                done = subprocess.run(["bash", "-e", "-c", block.text], cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                      text=True, errors="replace", timeout=SECONDS)
            except subprocess.TimeoutExpired:
                print(f"{where}: the block did not end within {SECONDS} s")
                wrong += 1
                break
            got = [line.rstrip() for line in done.stdout.replace(str(folder) + "/", "").splitlines()]
            code = int(block.marks.get("exits", 0))
            if done.returncode != code:
                print(f"{where}: expected exit code {code}, got {done.returncode}:\n{block.text}" + "\n".join(got[-40:]))
                wrong += 1
                break
            if block.output is None:
                continue
            agree = first_difference(block.output.lines, got)
            if agree is None:
                continue
            if write:
                replaced.append((block.output.first, len(block.output.lines), rewritten(block.output.lines, got)))
                continue
            wrong += 1
            expected = block.output.lines[agree] if agree < len(block.output.lines) else "the end of the output"
            print(f"{path}:{block.output.first + agree + 1}: expected: {expected}\nthe output is:\n" + "\n".join(got[:80]))
    for first, count, new in reversed(replaced):
        lines[first : first + count] = [line + "\n" for line in new]
    if replaced:
        path.write_text("".join(lines))
    if ran == 0:
        print(f"{path}: no block was run")
        return 1
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{path.name}: {ran} blocks run, {len(replaced)} outputs replaced, {wrong} wrong, {used.ru_utime + used.ru_stime:.1f} CPU s so far")
    for reason in left_out:
        print(f"  not run: {reason}")
    return 1 if wrong else 0


def main():
    global BUILD
    parser = argparse.ArgumentParser(description="Runs the shell blocks of documentation pages and compares what they print with the page.")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="folder with the program and the kernels (default: build)")
    parser.add_argument("--write", action="store_true", help="replace stale outputs in the pages")
    parser.add_argument("pages", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    BUILD = arguments.build.resolve()
    codes = [run_page(page.resolve(), arguments.write) for page in arguments.pages]
    return 1 if 1 in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
