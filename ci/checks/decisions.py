"""Every decision of a room's DECISIONS.md has an id of its own, a date and a guard, and every test that it names exists.
usage: decisions.py ROOT [--mutants]
With --mutants the check is tried on tables with an id that is taken, without a date, without a guard, with a test that nobody wrote."""
import glob, os, re, subprocess, sys

LINE = re.compile(r"- \*\*([A-Z]+-\d+), (\d{4}-\d\d-\d\d)\b")
TEST = re.compile(r"^([A-Z]\w+)\.([A-Z]\w*|\*)(\.\.\.)?$")  # of GoogleTest; `Suite.*` is all of a suite, `Suite.Begins...` one of a long name


def sources(root):
    """All that can hold a test, as one text: sources, scripts, lists of CMake and tables. Not the decisions, which name themselves."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True).stdout.split("\n")
    paths = [path for path in listed if re.search(r"\.(cpp|h|hpp|py|sh|txt|csv|md|inc)$|^ci/", path) and not path.endswith("DECISIONS.md")]
    return "\n".join(paths) + "\n".join(open(os.path.join(root, path), errors="replace").read() for path in paths if os.path.isfile(os.path.join(root, path)))


def exists(name, text):
    if " " in name:  # a command
        return True
    test = TEST.match(name)
    if test:
        case = r"\w+" if test[2] == "*" else test[2] + (r"\w*" if test[3] else "")
        return re.search(rf"TEST(?:_F|_P)?\(\s*{test[1]},\s*{case}\s*\)", text)
    return all(re.search(re.escape(part).replace(r"\*", r"\w+"), text) for part in name.rstrip(".").split("/"))


def complaints(rooms, text):
    seen, owner = [], {}
    for path, lines in rooms.items():
        for number, line in enumerate(lines.split("\n"), 1):
            if not line.startswith("- "):
                continue
            where, found = f"{path}:{number}", LINE.match(line)
            if not found:
                seen.append(f"{where}: no id and date: {line[:60]}")
                continue
            if found[1] in owner:
                seen.append(f"{where}: {found[1]} is taken by {owner[found[1]]}")
            owner.setdefault(found[1], where)
            guard = re.findall(r"Guards?: *(\S.*)", line)
            if not guard:
                seen.append(f"{where}: {found[1]} names no guard")
            for name in re.findall(r"`([^`]+)`", guard[-1] if guard else ""):
                if not exists(name, text):
                    seen.append(f"{where}: {found[1]} is guarded by {name}, which is nowhere")
    return seen


def main(root, *options):
    text = sources(root)
    rooms = {os.path.relpath(path, root): open(path).read() for path in sorted(glob.glob(root + "/*/DECISIONS.md"))}
    seen = complaints(rooms, text)
    for line in seen:
        print(line)
    count = sum(lines.count("\n- **") for lines in rooms.values())
    if seen or count < 100:
        return 1
    if "--mutants" in options:
        path, lines = next(iter(rooms.items()))
        first = re.search(r"^- \*\*.*$", lines, re.M)[0]
        for twin, complaint in (
                (lines + "\n" + first, "is taken by"),
                (LINE.sub(r"- **\1", lines, count=1), "no id and date"),
                (lines.replace(first, re.sub("Guard.*", "", first)), "names no guard"),
                (lines.replace(first, first + " Guard: `Nobody.WroteThis`"), "is nowhere")):
            answer = complaints({**rooms, path: twin}, text)
            if len(answer) != 1 or complaint not in answer[0]:
                print(f"'{complaint}' is not seen: {answer}")
                return 1
    print(f"{count} decisions")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
