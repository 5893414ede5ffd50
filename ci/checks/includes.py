"""Checks that ci/allowed_includes.csv allows every #include of a module's header. usage: includes.py ROOT [--mutants]
The module (column `room`) of a file is the longest one with which its path begins; a module may include itself. With --mutants the
check also runs on trees with one forbidden include and on tables that lack one permission: it must report each."""
import csv, os, re, sys

INCLUDE = re.compile(r'\s*#\s*include\s*["<]([^">]+)[">]')
ROOMS = ("reference", "kernels", "harness", "suites", "golden", "ci")
TEST = re.compile(r"_test\.cpp$|/(testing|bench|oracles)/")


def read_table(path):
    return {row["room"]: (row["may_include"].split(), row["tests_also"].split()) for row in csv.DictReader(open(path))}


def installed(root, header):
    """Returns the source file from which a header was installed."""
    for source in ("kernels/abi/" + header, "harness/check/" + header.removeprefix("assay/")):
        if os.path.exists(f"{root}/{source}"):
            return source
    return "kernels/simt/" + header


def read_includes(root):
    """Returns (file, line, included header) for every #include that names a header of a module."""
    found = []
    for top in ROOMS:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if not name.endswith((".h", ".hpp", ".cpp", ".c", ".cu", ".hip")):
                    continue
                path = os.path.join(folder, name)
                for number, line in enumerate(open(path, errors="replace"), 1):
                    match = INCLUDE.match(line)
                    if not match:
                        continue
                    header = match[1]
                    if header.startswith("assay/"):
                        header = installed(root, header)
                    if header.startswith("../"):
                        header = os.path.relpath(os.path.join(folder, header), root)
                    if header.split("/")[0] in ROOMS:
                        found.append((os.path.relpath(path, root), number, header))
    return found


def within(path, room):
    return path == room or path.startswith(room + "/")


def room_of(path, table):
    rooms = [room for room in table if within(path, room)]
    return max(rooms, key=len) if rooms else None


def violations(table, includes):
    wrong, used = [], set()
    for file, line, header in includes:
        room, target = room_of(file, table), room_of(header, table)
        if room is None or target is None:
            wrong.append(f"{file}:{line}: {header}: this file or the header is in no module of ci/allowed_includes.csv")
            continue
        always, in_tests = table[room]
        if target == room:
            continue
        allowed = [(room, one, column) for column, many in (("may", always), ("tests", in_tests if TEST.search(file) else [])) for one in many]
        grants = [grant for grant in allowed if within(header, grant[1])]
        used.update(grants)
        if not grants:
            wrong.append(f"{file}:{line}: ci/allowed_includes.csv does not allow {room} to include {header}")
    return wrong, used


def mutants(table, includes):
    """Mutants that the check does not detect. The check looks at each include alone, so a mutant is tried without the other
    includes."""
    missed, tried = [], 0
    of_room = {room: [one for one in includes if room_of(one[0], table) == room] for room in table}
    some_file = {room_of(file, table): file for file, _, _ in includes if not TEST.search(file)}
    some_header = {room_of(header, table): header for _, _, header in includes}
    for room, file in some_file.items():
        for target, header in some_header.items():
            if target == room or any(within(header, one) for one in table[room][0]):
                continue
            tried += 1
            if len(violations(table, [(file, 1, header)])[0]) != 1:
                missed.append(f"not detected, although it is forbidden: {file} includes {header}")
    for room, (always, in_tests) in table.items():
        for column, many in ((0, always), (1, in_tests)):
            for one in many:
                edited = dict(table)
                edited[room] = tuple([x for x in cells if (x, i) != (one, column)] for i, cells in enumerate(table[room]))
                tried += 1
                if one != room and not violations(edited, of_room[room])[0]:
                    missed.append(f"ci/allowed_includes.csv: {room}: no include needs the permission for {one}; remove it")
    return missed, tried


def main():
    root = sys.argv[1]
    table = read_table(os.path.join(root, "ci/allowed_includes.csv"))
    includes = read_includes(root)
    wrong, _ = violations(table, includes)
    missed, tried = mutants(table, includes) if not wrong and "--mutants" in sys.argv else ([], 0)
    for line in wrong + missed:
        print(line)
    if len(includes) < 500:
        print(f"{root}: expected at least 500 includes, got {len(includes)}")
        return 1
    print(f"{len(includes)} includes are allowed; {tried} planted mistakes are detected")
    return 1 if wrong or missed else 0


sys.exit(main())
