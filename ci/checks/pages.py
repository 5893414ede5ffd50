"""Checks the pages in Markdown. usage: pages.py links ROOT | pages.py decisions ROOT [--mutants]
links: every relative link leads to a file, and its #fragment to a heading.
decisions: docs/decisions has at most 12 pages, each listed in README.md, each with all sections and with guards (tests) that exist.
With --mutants the check also runs on damaged pages: a missing section, no guard, a guard that does not exist, a page that is not listed."""
import glob, os, re, subprocess, sys

SECTIONS = ["Context", "Alternatives", "Decision", "Consequences", "Guarded by"]
TEST = re.compile(r"^([A-Z]\w+)\.([A-Z]\w*|\*)$")  # the name of a GoogleTest; `Suite.*` means every test of a suite
MOST_PAGES = 12
FOLDER = "docs/decisions"


def sources(root):
    """Returns all files that can define a test as one text: sources, scripts, CMake lists and tables. Leaves out documentation, which only names tests."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True).stdout.split("\n")
    paths = [path for path in listed if re.search(r"\.(cpp|h|hpp|py|sh|txt|csv|inc)$|^ci/", path) and not path.endswith(".md")]
    return "\n".join(paths) + "\n".join(open(os.path.join(root, path), errors="replace").read() for path in paths if os.path.isfile(os.path.join(root, path)))


def exists(name, text):
    test = TEST.match(name)
    if test:
        case = r"\w+" if test[2] == "*" else test[2]
        return re.search(rf"TEST(?:_F|_P)?\(\s*{test[1]},\s*{case}\s*\)", text)
    return all(re.search(re.escape(part).replace(r"\*", r"\w+"), text) for part in name.split("/"))


def complaints(pages, index, text):
    seen = []
    if len(pages) > MOST_PAGES:
        seen.append(f"{FOLDER}: expected at most {MOST_PAGES} pages, got {len(pages)}")
    for path, page in pages.items():
        sections = re.findall(r"^## (.+)$", page, re.M)
        if sections != SECTIONS:
            seen.append(f"{path}: expected: {', '.join(SECTIONS)}; got the sections {', '.join(sections)}")
        if f"({os.path.basename(path)})" not in index:
            seen.append(f"{path}: is not listed in {FOLDER}/README.md")
        guards = re.findall(r"`([^`]+)`", page.split("\n## Guarded by")[-1]) if "\n## Guarded by" in page else []
        if not guards and "Guarded by" in sections:
            seen.append(f"{path}: names no guard (a test)")
        seen += [f"{path}: is guarded by {name}, which does not exist" for name in guards if not exists(name, text)]
    return seen


def check_decisions(root, *options):
    text = sources(root)
    paths = sorted(glob.glob(f"{root}/{FOLDER}/*.md"))
    pages = {os.path.relpath(path, root): open(path).read() for path in paths if not path.endswith("README.md")}
    index = open(f"{root}/{FOLDER}/README.md").read()
    seen = complaints(pages, index, text)
    for line in seen:
        print(line)
    if seen or len(pages) < 10:
        return 1
    if "--mutants" in options:
        path, page = next(iter(pages.items()))
        for twin, listed, complaint in (
                (page.replace("## Alternatives", "## Others"), index, "expected: Context"),
                (page.split("\n## Guarded by")[0] + "\n## Guarded by\nnothing\n", index, "names no guard"),
                (page + "\n- `Nobody.WroteThis`\n", index, "does not exist"),
                (page + "\n- `checks/" + "nobody_wrote" + "_this`\n", index, "does not exist"),
                (page, index.replace(os.path.basename(path), "other.md"), "is not listed")):
            answer = complaints({**pages, path: twin}, listed, text)
            if len(answer) != 1 or complaint not in answer[0]:
                print(f"a damaged page: expected one complaint with '{complaint}', got {answer}")
                return 1
        if not complaints({f"{FOLDER}/{i}.md": page for i in range(MOST_PAGES + 1)}, index, text):
            print(f"{MOST_PAGES + 1} pages are not reported as too many")
            return 1
    print(f"{len(pages)} decisions")
    return 0


def slugs(path):
    headings = re.findall(r"^#+ (.+)$", open(path).read(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(root):
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "*.md"], capture_output=True, text=True).stdout.split()
    paths = listed or [os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root) for name in names if name.endswith(".md")]
    count, broken = 0, []
    for path in paths:
        full = os.path.join(root, path)
        if not os.path.isfile(full):
            continue
        for number, line in enumerate(open(full), 1):
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                if re.match(r"[a-z]+:", target):
                    continue
                count += 1
                file, _, fragment = target.partition("#")
                at = os.path.normpath(os.path.join(os.path.dirname(full), file)) if file else full
                if not os.path.exists(at):
                    broken.append(f"{path}:{number}: {target} does not exist")
                elif fragment and fragment not in slugs(at):
                    broken.append(f"{path}:{number}: {target} has no such heading")
    print("\n".join(broken) or f"{count} links")
    return bool(broken)


if __name__ == "__main__":
    sys.exit({"links": check_links, "decisions": check_decisions}[sys.argv[1]](*sys.argv[2:]))
