"""The program `assay` of this installation: its arguments and exit codes are those of `assay --help`."""

import os
import sys

from . import _library


def main():
    program = _library.program()
    os.environ.setdefault("ASSAY_PYTHON", sys.executable)  # for --backend python:MODULE:KERNEL
    os.execv(program, [program, *sys.argv[1:]])


if __name__ == "__main__":
    main()
