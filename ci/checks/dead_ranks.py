"""Runs ranks in three processes, and kills or stops one process at a random moment. usage: dead_ranks.py PROGRAM LIBRARY CASES FOLDER FIRST
COUNT. Process, signal and moment (as a share of an undisturbed run) depend only on the trial's number, so a series can be continued where
it stopped. In each trial the other processes must end in time, unless process 0 is only stopped. No verdict may be false:
at most one case is broken, and cases without a call are unjudged and name the process. Before the trials, an undisturbed launch must pass
every case, and a launch without its first process must end. A third of the signals must reach a launch that still has cases."""
import csv, glob, os, random, signal, subprocess, sys, time

program, library, cases, folder, first, count = sys.argv[1:5] + [int(n) for n in sys.argv[5:7]]
TIMEOUT, PATIENCE = 3, 45


def start(trial, ranks=(0, 1, 2)):
    job = f"assay.dead.{os.getpid()}.{trial}"
    processes = []
    for rank in ranks:
        environment = dict(os.environ, PMIX_NAMESPACE=job, OMPI_COMM_WORLD_SIZE="3", OMPI_COMM_WORLD_LOCAL_SIZE="3", OMPI_COMM_WORLD_RANK=str(rank))
        log = open(f"{folder}/log{rank}", "wb")
        processes.append(subprocess.Popen([program, "run", "--backend", library, "--cases", cases, "--timeout", str(TIMEOUT),
                                           "--report", f"csv:{folder}/v.csv"], env=environment, stdout=log, stderr=log, start_new_session=True))
    return processes


def outcomes():
    files = glob.glob(f"{folder}/v.1of3.csv")
    rows = csv.DictReader(open(files[0])) if files else []
    return list({row["case"]: (row["outcome"], row["message"]) for row in rows if row["kernel"]}.values())  # the report has a row for each tensor


def undisturbed():
    """Returns the seconds and the number of verdicts of a launch in which no process is killed."""
    begin = time.time()
    codes = [process.wait(PATIENCE) for process in start("undisturbed")]
    found = outcomes()
    if codes != [0, 0, 0] or len(found) < 20 or {outcome for outcome, _ in found} != {"pass"}:
        sys.exit(f"FAILED: an undisturbed launch: expected exit codes 0 and at least 20 passes, got {codes} and {len(found)} verdicts: {found[:2]}")
    return time.time() - begin, len(found)


def without_the_first():
    """Starts a launch without its first process. The other processes must report that it is missing, and end."""
    begin = time.time()
    for process in start("orphans", (1, 2)):
        try:
            process.wait(max(1, begin + PATIENCE - time.time()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            sys.exit(f"FAILED: a process still waits after {PATIENCE} s for the first process, which was not started")
    said = open(f"{folder}/log1").read()
    if "waits for the first process of this launch" not in said or "did not start" not in said:
        sys.exit(f"FAILED: the other processes do not report that the first process is missing: {said}")


def trial(number, seconds, whole):
    """Returns a problem or None, how long the other processes ran, and whether the signal came while cases were left."""
    for file in glob.glob(f"{folder}/v.*"):
        os.remove(file)
    draw = random.Random(number)
    victim, how, moment = draw.randrange(3), draw.choice([signal.SIGKILL, signal.SIGSTOP]), draw.random() * seconds
    words = f"trial {number}: process {victim}, {how.name} after {moment:.2f} s"
    processes = start(number)
    time.sleep(moment)
    was_running = processes[victim].poll() is None
    os.killpg(processes[victim].pid, how) if was_running else None
    struck, problem = time.time(), ""
    others = [p for i, p in enumerate(processes) if i != victim]
    # a stopped first process may continue at any time, so the others wait for it
    must_end = [] if how == signal.SIGSTOP and victim == 0 else others
    for process in must_end:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            problem = f"the other processes do not end within {PATIENCE} s"
    took = time.time() - struck
    for process in processes:
        if process.poll() is None:
            try:
                os.killpg(process.pid, signal.SIGCONT)
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
    found = outcomes() if victim != 0 else []
    broken = [message for outcome, message in found if outcome == "broken"]
    odd = [outcome + ": " + message for outcome, message in found if outcome not in ("pass", "broken") and not (outcome == "unjudged" and "is gone" in message)]
    passed = sum(outcome == "pass" for outcome, _ in found)
    if was_running and victim != 0 and found and len(found) != whole:
        problem = problem or f"{whole - len(found)} cases have no verdict"
    if len(broken) > 1:
        problem = problem or f"{len(broken)} cases are broken: {broken[:2]}"
    if odd:
        problem = problem or f"a false verdict: {odd[:2]}"
    return words, problem, took, was_running and (victim == 0 or passed < whole)


failed = reached = 0
longest = 0
seconds, whole = undisturbed()
without_the_first()
for number in range(first, first + count):
    words, problem, took, in_time = trial(number, seconds, whole)
    longest = max(longest, took)
    reached += in_time
    if problem:
        failed += 1
        print(f"FAILED {words}: {problem}", flush=True)
print(f"killed and stopped processes: of trials {first} to {first + count - 1}, {count - failed} passed and {failed} failed; {reached} signals came while cases were left; "
      f"the other processes ended at most {longest:.1f} s after the signal")
if reached * 3 < count:
    sys.exit(f"FAILED: expected at least {-(-count // 3)} signals while cases are left, got {reached}")
sys.exit(failed > 0)
