"""Every relative link of the Markdown files under ROOT leads to a file, and its #fragment to a heading. usage: links.py ROOT"""
import os, re, subprocess, sys


def slugs(path):
    headings = re.findall(r"^#+ (.+)$", open(path).read(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def main(root):
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


sys.exit(main(sys.argv[1]))
