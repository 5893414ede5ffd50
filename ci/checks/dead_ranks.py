"""Ranks in three processes of which one is killed or stopped at a seeded moment. usage: dead_ranks.py PROGRAM LIBRARY FOLDER FIRST COUNT
Trial number FIRST + i depends on its number alone, so a long series can be continued where it stopped. Each trial must end: the
others
within 10 s of the last call that can still be waited for, without a false verdict: at most one case is broken, and cases without a call are
unjudged and name the process."""
import csv, glob, os, random, signal, subprocess, sys, time

program, library, folder, first, count = sys.argv[1:4] + [int(n) for n in sys.argv[4:6]]
TIMEOUT, MARGIN, PATIENCE = 3, 5, 90


def start(trial):
    job = f"assay.dead.{os.getpid()}.{trial}"
    processes = []
    for rank in range(3):
        environment = dict(os.environ, PMIX_NAMESPACE=job, OMPI_COMM_WORLD_SIZE="3", OMPI_COMM_WORLD_LOCAL_SIZE="3", OMPI_COMM_WORLD_RANK=str(rank))
        log = open(f"{folder}/log{rank}", "wb")
        processes.append(subprocess.Popen([program, "run", "--backend", library, "--case", "*/nccl.all_reduce_symmetric/f32.r4.*", "--warp", "32", "--timeout", str(TIMEOUT),
                                           "--report", f"csv:{folder}/v.csv"], env=environment, stdout=log, stderr=log, start_new_session=True))
    return processes


def outcomes():
    files = glob.glob(f"{folder}/v.1of3.csv")
    return [(row["outcome"], row["message"]) for row in csv.DictReader(open(files[0])) if row["kernel"]] if files else []


def trial(number):
    """What is wrong, or nothing; and how long the others took."""
    for file in glob.glob(f"{folder}/v.*"):
        os.remove(file)
    draw = random.Random(number)
    victim, how, moment = draw.randrange(3), draw.choice([signal.SIGKILL, signal.SIGSTOP]), draw.expovariate(1 / 0.7)
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
            problem = "the others do not end"
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
    if len(broken) > 1:
        problem = problem or f"{len(broken)} cases are broken: {broken[:2]}"
    if odd:
        problem = problem or f"a false verdict: {odd[:2]}"
    return words, problem, took


failed = 0
longest = 0
for number in range(first, first + count):
    words, problem, took = trial(number)
    longest = max(longest, took)
    if problem:
        failed += 1
        print(f"FAILED {words}: {problem}", flush=True)
print(f"dead ranks: trials {first} to {first + count - 1}: {count - failed} held, {failed} failed; the longest end took {longest:.1f} s")
sys.exit(failed > 0)
