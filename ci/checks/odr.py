"""Checks that no two types in the sources that the program links have the same name in one namespace (C++20, [basic.def.odr]). Such files
compile, and the linker uses one type's functions for both. usage: odr.py ROOT [--mutants]
With --mutants the check also runs on trees with a planted second type, and must report it."""
import collections, os, re, sys

ROOMS = ("reference", "harness", "suites")
OTHER_PROGRAMS = re.compile(r"_test\.cpp$|/(bench|oracles|fuzz)/|/abi_[0-9_]+/")
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
TOKEN = re.compile(r"[{};]|[^{};]+")
TYPE = re.compile(r"(?:^|\s)(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+(?:\[\[\w+\]\]\s*)?(\w+)\s*(?:final\s*)?(?::[^:].*)?$", re.S)
NAMESPACE = re.compile(r"(?:^|\s)(?:inline\s+)?namespace\s*([\w:]*)\s*$")


def types_of(text):
    """Returns the qualified names of the types that a file defines and that other files can see."""
    code = NOT_CODE.sub(" ", re.sub(r"^\s*#.*$", "", text, flags=re.M))
    scopes, before, found = [], "", set()
    for token in TOKEN.findall(code):
        if token == "{":
            space, kind = NAMESPACE.search(before), TYPE.search(before)
            if kind and not space and None not in scopes and "(" not in before.split(kind[1])[0]:
                found.add("::".join(scopes + [kind[1]]))
            scopes.append(space[1] if space and space[1] else None)
        elif token == "}" and scopes:
            scopes.pop()
        before = token if token not in "{};" else ""
    return found


def definitions(root):
    found = collections.defaultdict(set)
    for room in ROOMS:
        for folder, _, names in os.walk(os.path.join(root, room)):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), root)
                if not name.endswith((".h", ".cpp")) or OTHER_PROGRAMS.search("/" + path):
                    continue
                for kind in types_of(open(os.path.join(root, path), errors="replace").read()):
                    found[kind].add(path)
    return found


def clashes(found):
    return [f"{name} is defined in {' and in '.join(sorted(paths))}" for name, paths in sorted(found.items()) if len(paths) > 1]


def main(root, *options):
    found = definitions(root)
    seen = clashes(found)
    for line in seen:
        print(line)
    if seen or len(found) < 100:
        return 1
    if "--mutants" in options:
        for room, text, name in (
                ("harness", "namespace assay {\nenum class PartKind { kOther };\n}", "assay::PartKind"),
                ("suites", "namespace assay {\nnamespace {\nstruct Mine {};\n}\n/// Again.\nstruct RowInputs final {\n int n;\n};\n}", "assay::RowInputs"),
                ("reference", "namespace assay {\nclass Expectation : public Base {};\n}", "assay::Expectation")):
            if name not in found or types_of(text) - {name}:
                print(f"expected to find {name} in the project, and no other type in this planted text: {text}")
                return 1
            twin = {kind: set(paths) for kind, paths in found.items()}
            for kind in types_of(text):
                twin[kind].add(room + "/twin.h")
            if len(clashes(twin)) != 1:
                print(f"a planted second definition of {name} in {room} is not detected")
                return 1
    print(f"{len(found)} types")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
