"""Starts a writing command repeatedly in one folder and kills it (SIGKILL) at random moments (SEED). After each kill, every file
under its final name must be complete. usage: kills.py KIND KILLS SEED FOLDER WHOLE -- COMMAND...   WHOLE is the folder of a run that was
not killed. Half of the kills come at any moment of the run, half in the first milliseconds after a change in the folder."""
import csv, json, os, random, re, signal, struct, subprocess, sys, time
import xml.etree.ElementTree as xml

TEMPORARY = re.compile(r"\.[A-Za-z0-9]{6}$")


def files_of(folder):
    return {os.path.relpath(os.path.join(at, name), folder): os.path.join(at, name) for at, _, names in os.walk(folder) for name in names}


def facts(path):
    """Returns the content of a file without what may differ between two runs: seconds, and facts about the run. Raises if the file
    is incomplete."""
    data = open(path, "rb").read()
    if path.endswith(".safetensors"):
        size = struct.unpack("<Q", data[:8])[0]
        head = json.loads(data[8 : 8 + size])
        ends = [tensor["data_offsets"][1] for name, tensor in head.items() if name != "__metadata__"]
        assert len(data) == 8 + size + max(ends), "its tensor data are truncated"
        return data
    text = data.decode()
    if path.endswith(".csv"):
        assert text.endswith("\n"), "its last row is truncated"
        rows = list(csv.reader(text.splitlines()))
        of_the_run = {i for i, column in enumerate(rows[0]) if column == "seconds" or column.startswith("run_")}
        return [[cell for i, cell in enumerate(row) if i not in of_the_run] for row in rows]
    if path.endswith(".json"):
        report = json.loads(text)
        for of_the_run in ("provenance", "run", "begun"):
            report.pop(of_the_run, None)
        return re.sub(r'"seconds":[-+.e0-9]+', "", json.dumps(report, separators=(",", ":")))
    if path.endswith((".xml", ".html")):
        return sum(1 for _ in xml.fromstring(text).iter())
    raise AssertionError("no command writes a file with this extension")


def check(folder, whole):
    """Requires that every file under a final name equals the file of an undisturbed run. Returns the number of files."""
    expected, present = files_of(whole), 0
    for name, path in files_of(folder).items():
        if TEMPORARY.search(name) and name not in expected:
            continue
        try:
            assert name in expected, "an undisturbed run writes no such file"
            assert facts(path) == facts(expected[name]), "differs from the file of an undisturbed run"
        except Exception as error:
            sys.exit(f"HALF A FILE: {name}: {error}")
        present += 1
    return present


def changed(folder):
    return sorted((path, os.stat(path).st_size) for path in files_of(folder).values() if os.path.exists(path))


def kill_once(command, folder, seconds, draw):
    after_change = draw.random() < 0.5
    delay = draw.uniform(0, 0.01) if after_change else draw.uniform(0, seconds)
    before = changed(folder) if after_change else None
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    end = time.monotonic() + 20 * seconds
    while after_change and process.poll() is None and time.monotonic() < end:
        try:
            if changed(folder) != before:
                break
        except FileNotFoundError:
            break
        time.sleep(0.001)
    time.sleep(delay)
    running = process.poll() is None
    if running:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return running


def seconds_of(command, folder):
    os.makedirs(folder, exist_ok=True)
    begin = time.monotonic()
    subprocess.run([part.replace("@", folder) for part in command], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - begin


def main():
    kind, kills, seed, folder, whole = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
    command = sys.argv[7:]
    subprocess.run([part.replace("@", whole) for part in command], stdout=subprocess.DEVNULL, check=True)
    seconds = min(seconds_of(command, whole + f".{i}") for i in range(3 if kills > 50 else 1))
    assert check(whole, whole) > 0
    os.makedirs(folder)
    draw, killed, present, litter, starts = random.Random(seed), 0, 0, 0, 0
    while killed < kills:
        starts += 1
        if starts > 8 * kills:
            sys.exit(f"{kind}: only {killed} of {starts} runs could be killed")
        killed += kill_once([part.replace("@", folder) for part in command], folder, seconds, draw)
        present += check(folder, whole)
        names = files_of(folder)
        litter = max(litter, sum(name not in files_of(whole) for name in names))
        if litter and draw.random() < 0.9:  # deletes most files, so the next run meets leftovers
            for name, path in names.items():
                if draw.random() < 0.7:
                    os.remove(path)
        elif draw.random() < 0.7:
            for path in names.values():
                os.remove(path)
    if os.path.exists(os.path.join(folder, "index.json")):  # a finished recording is not overwritten
        os.remove(os.path.join(folder, "index.json"))
    subprocess.run([part.replace("@", folder) for part in command], stdout=subprocess.DEVNULL, check=True)
    assert check(folder, whole) == len(files_of(whole)), "the last run did not write all files"
    print(f"{kind}: {killed} kills in {starts} runs of {seconds:.2f} s; {present} files checked, at most {litter} temporary files left")


main()
