"""Runs the program `assay` of this installation, with its arguments and exit codes (see `assay --help`).

On a folder that assay.capture wrote, `assay judge FOLDER` calls assay.judge_capture instead.
"""

import os
import sys

from . import _library


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "judge" and os.path.isfile(os.path.join(sys.argv[2], "capture.json")):
        from . import _captured

        sys.exit(_captured.main(sys.argv[2]))
    program = _library.program()
    os.environ.setdefault("ASSAY_PYTHON", sys.executable)  # for --backend python:MODULE:KERNEL
    os.execv(program, [program, *sys.argv[1:]])


if __name__ == "__main__":
    main()
