"""The promise of the queue (docs/queue-format.md), tried: faults at every system call of Queue and ProcessQueue, the order of what
goes to the disk, many processes and threads at one folder, very many files, a very large one.

usage: queue.py [--sample]     without it everything, which takes a while
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from sink import Sink  # noqa: E402

SAMPLE = "--sample" in sys.argv
WORKER = os.environ["WORKER"]
SHORT = os.environ["SHORT"]
ROOT = Path(tempfile.mkdtemp(prefix="ssmtp-torture-"))
# Many small files: the disk is not what is tried.
FAST = Path(tempfile.mkdtemp(prefix="ssmtp-torture-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))

CALLS = (
    "openat write fsync renameat renameat2 unlinkat fchmod flock getdents64 newfstatat fstat statx pread64 read close fcntl dup "
    "socket connect poll sendmsg sendto recvfrom recvmsg getrandom lseek mmap"
).split()
FAULTS = ["signal=KILL", "error=EIO", "error=ENOSPC", "error=EINTR"]
# What no program survives without its answer, or what the system never answers.
NEVER = {"mmap": {"error=EIO", "error=EINTR"}, "getrandom": {"error=EIO", "error=ENOSPC"}, "close": set()}
# Interrupted by a signal, the kernel begins these again by itself or they do not wait: they only must not do harm.
FILES = {"openat", "write", "fsync", "renameat2", "unlinkat", "flock", "newfstatat", "pread64", "getdents64"}

sink = Sink()
passed = failed = 0


def check(good, what):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}", flush=True)


def run(*arguments, trace=None, env=None):
    command = [WORKER, *map(str, arguments)]
    if trace:
        command = ["strace", "-f", "-qq", *trace, *command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=1200, env=env, check=False)
    return done.stdout.decode().splitlines(), done


def fresh(name, root=ROOT):
    folder = root / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def subject_of(path):
    found = re.search(rb"\r\nSubject: ([^\r]*)\r\n", path.read_bytes())
    return found and found[1].decode()


def windows(log):
    """How often each call comes before the work begins, and in all."""
    before, after, begun = {}, {}, False
    for line in log.splitlines():
        match = re.match(r"(?:\[pid +)?(?:\d+\]? +)?(\w+)\(", line)
        if not match:
            continue
        begun = begun or "/torture-begins" in line
        counts = after if begun else before
        counts[match[1]] = counts.get(match[1], 0) + 1
    return {call: (before.get(call, 0), count) for call, count in after.items()}


def points(*arguments, prepare):
    """Every fault at every system call of the work."""
    log = ROOT / "log"
    prepare()
    run(*arguments, trace=["-o", str(log), "-s", "200"])
    found = []
    for call, (skip, count) in sorted(windows(log.read_text()).items()):
        if call not in CALLS:
            continue
        for when in range(skip + 1, skip + count + 1):
            for fault in FAULTS:
                if fault not in NEVER.get(call, set()):
                    found.append((call, fault, when))
    return found[::2] if SAMPLE else found


def inject(call, fault, when):
    return ["-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={when}"]


def queue_faults():
    folder = fresh("queue")
    everywhere = points("queue", folder, 1, "baseline", prepare=lambda: fresh("queue"))
    for number, (call, fault, when) in enumerate(everywhere):
        what, text = f"Queue, {call} {when}: {fault}", f"q{number}"
        fresh("queue")
        said, done = run("queue", folder, 1, text, trace=inject(call, fault, when))
        names = sorted(os.listdir(folder))
        queued = [n for n in names if n.endswith(".queued")]
        told = [line for line in said if line.endswith(".queued")]
        check(all(n in queued for n in told), f"{what}: a name was told and there is no such file: {said} {names}")
        # 3: it was the write of the name to us that failed.
        killed = "KILL" in fault or done.returncode == 3
        if not killed:
            refused = [line for line in said if line.startswith("result ")]
            check(len(told) + len(refused) == 1, f"{what}: neither a name nor an error: {said} {done.stderr[-200:]}")
            check(len(queued) == len(told), f"{what}: an error, and a file that is queued all the same: {names}")
            left = [n for n in names if n.endswith(".tmp")]
            check(not left or call == "unlinkat", f"{what}: a temporary is left: {names}")
            if fault == "error=EINTR" and call in FILES:
                check(told, f"{what}: a signal is no failure: {said}")
        # Whatever is called .queued is whole.
        said, _ = run("process", folder, sink.port, 1)
        check("result 0 " in said and not any(l.startswith("event") for l in said), f"{what}: then {said}")
        check(sink.taken[f"{text}-0"] == len(queued) and sink.whole.get(f"{text}-0", True), f"{what}: not what was queued")
        run("recover", folder)
        check(not [n for n in os.listdir(folder) if n.endswith(".tmp")], f"{what}: a temporary stays after RecoverQueue")
    return len(everywhere)


def process_faults():
    folder = fresh("process")

    def prepare(text="baseline"):
        fresh("process")
        run("queue", folder, 3, text)

    everywhere = points("process", folder, sink.port, 1, prepare=prepare)
    for number, (call, fault, when) in enumerate(everywhere):
        what, text = f"ProcessQueue, {call} {when}: {fault}", f"p{number}"
        prepare(text)
        wanted = {f"{text}-{n}" for n in range(3)}
        said, _ = run("process", folder, sink.port, 1, trace=inject(call, fault, when))
        # The sink may still be at the last one.
        time.sleep(0.02 if "KILL" in fault else 0)
        names = os.listdir(folder)
        there = {subject_of(folder / n): n for n in names if n.rsplit(".", 1)[-1] in ("queued", "sending", "failed")}
        for subject in wanted:
            gone = subject not in there
            check(not gone or sink.taken[subject] == 1, f"{what}: {subject} is lost: {names} {said}")
            waits = there.get(subject, "").endswith(".queued")
            check(not (waits and sink.taken[subject]), f"{what}: {subject} was taken and is queued: {names} {said}")
        # Its only writes are those to us.
        if fault == "error=EINTR" and call in FILES - {"write"}:
            check("result 0 " in said and not names, f"{what}: a signal is no failure: {said} {names}")
        # Another run sends what is queued, and nothing twice.
        said, _ = run("process", folder, sink.port, 1)
        check(said[:1] == ["result 0 "], f"{what}: then {said}")
        for subject in wanted:
            check(sink.taken[subject] <= 1, f"{what}: {subject} was sent {sink.taken[subject]} times")
            check(sink.whole.get(subject, True), f"{what}: {subject} was not sent as it was queued")
            there = [n for n in os.listdir(folder) if subject_of(folder / n) == subject]
            check(sink.taken[subject] == 1 or there, f"{what}: {subject} is lost in the second run")
        if "KILL" in fault:
            said, _ = run("recover", folder)
            check(said == ["result 0 "], f"{what}: RecoverQueue says {said}")
            check(not [n for n in os.listdir(folder) if n.endswith(".sending")], f"{what}: .sending is not recovered")
    return len(everywhere)


def order():
    """What is on the disk before what, and what goes in one write."""
    folder, log = fresh("order"), ROOT / "log"
    text = {}
    for mode, arguments in (("queue", ("queue", folder, 3, "order")), ("process", ("process", folder, sink.port, 1))):
        run(*arguments, trace=["-o", str(log), "-s", "100000", "-y"])
        text[mode] = [line for line in log.read_text().splitlines() if "= -1" not in line]
    lines = text["queue"][next(n for n, l in enumerate(text["queue"]) if ".tmp" in l):]

    def at(pattern, start=0, among=lines):
        return next((n for n in range(start, len(among)) if re.search(pattern, among[n])), None)

    position = 0
    for n in range(3):
        steps = [r"openat\(.*O_CREAT\|O_EXCL.*0600\)", r"write\(\d+<.*\.tmp>", r"fsync\(\d+<.*\.tmp>\)",
                 r"renameat2\(.*\.tmp\".*\.queued\", RENAME_NOREPLACE\)", r"fsync\(\d+<[^>]*/order>\)", r"write\(1<.*\.queued"]
        for step in steps:
            found = at(step, position)
            check(found is not None, f"Queue {n}: {step} does not come, or not in its turn")
            position = found if found is not None else position
    lines = text["process"]
    mails = [n for n, l in enumerate(lines) if "sendmsg" in l or "sendto" in l or "write" in l]
    mails = [n for n in mails for _ in re.findall(r"MAIL FROM", lines[n])]
    check(len(mails) == 3, f"three times MAIL, not {len(mails)}")
    position = 0
    for n, mail in enumerate(mails):
        renamed = at(r"renameat2\(.*\.queued\".*\.sending\", RENAME_NOREPLACE\)", position, lines)
        synced = None if renamed is None else at(r"fsync\(\d+<[^>]*/order>\)", renamed, lines)
        check(synced is not None and synced < mail, f"message {n} is said before its rename is on the disk")
        position = synced or position
    last = at(r"unlinkat\(.*\.sending", 0, lines)
    gone = [n for n, l in enumerate(lines) if re.search(r"unlinkat\(.*\.sending", l)]
    replies = [n for n, l in enumerate(lines) if re.search(r"recv\w*\(.*250 taken", l)]
    check(len(gone) == 3 and len(replies) == 3 and all(r < g for r, g in zip(replies, gone)), "a file goes before its 250 came")
    check(at(r"fsync\(\d+<[^>]*/order>\)", gone[-1] if gone else 0, lines) is not None, "the last removal is not put on the disk")
    check(last is not None, "nothing is removed")
    together = [l for l in lines if re.search(r"(sendmsg|sendto|write)\(.*three\\r\\n.*\.\\r\\n.*MAIL FROM", l)]
    check(len(together) == 2, f"the next MAIL goes in the same write as the last dot, twice: {len(together)}")


def short_writes():
    folder = fresh("short")
    said, done = run("queue", folder, 5, "short", env={**os.environ, "LD_PRELOAD": SHORT})
    check(len(said) == 5 and not done.returncode, f"short writes: {said}")
    run("process", folder, sink.port, 1)
    check(all(sink.taken[f"short-{n}"] == 1 and sink.whole[f"short-{n}"] for n in range(5)), "short writes: not whole")
    # A disk that is full in the middle: a tmpfs would do, a limit on the size of files does it everywhere.
    folder = fresh("full")
    limited = f"ulimit -f 1; trap '' XFSZ; exec {WORKER} large {folder} {sink.port} 1000000"
    done = subprocess.run(["bash", "-c", limited], stdout=subprocess.PIPE, check=False, timeout=60)
    check(done.stdout.startswith(b"queue 303") and not os.listdir(folder), f"a full disk: {done.stdout} {os.listdir(folder)}")


def folders_that_do_not_sync():
    """EINVAL: the file system has nothing to say about folders. EIO: it has."""
    for error, told, left in (("EINVAL", True, 1), ("EIO", False, 0)):
        folder = fresh("sync")
        said, _ = run("queue", folder, 1, error, trace=inject("fsync", f"error={error}", 2))
        check(said[0].endswith(".queued") == told and len(os.listdir(folder)) == left, f"{error} for the folder: {said}")


def other_refusals():
    """What a full quota, a server that forgot the folder, and a disk that went read-only say: error 303, and nothing is left."""
    for call in ("openat", "write", "fsync", "renameat2"):
        for error in ("EDQUOT", "ESTALE", "EROFS"):
            folder, log = fresh("refused"), ROOT / "log"
            run("queue", folder, 1, "refused", trace=["-o", str(log), "-s", "200"])
            skip, count = windows(log.read_text())[call]
            for when in range(skip + 1, skip + count + 1):
                fresh("refused")
                said, done = run("queue", folder, 1, "refused", trace=inject(call, f"error={error}", when))
                if done.returncode == 3:
                    continue  # the write of the name to us
                names, told = os.listdir(folder), [line for line in said if line.endswith(".queued")]
                what = f"Queue, {call} {when}: {error}"
                check(not names and not told and said[0].startswith("result 303 ") or said == told == names, f"{what}: {said} {names}")
                check(call == "openat" or not told, f"{what}: a success")


def private_whatever_the_umask():
    for mask in ("000", "022", "777"):
        folder = fresh("umask")
        done = subprocess.run(["sh", "-c", f'umask {mask}; exec "$0" "$@"', WORKER, "queue", folder, "1", "umask"], capture_output=True, timeout=60)
        modes = [oct(path.stat().st_mode & 0o7777) for path in folder.iterdir()]
        check(modes == ["0o600"] and not done.returncode, f"umask {mask}: {modes} {done.stdout}")


def processes_queue_at_once(processes=16, each=25):
    """In the same second and at one folder: no name twice, nothing overwritten."""
    folder = fresh("crowd")
    workers = [subprocess.Popen([WORKER, "queue", folder, str(each), f"crowd{n}"], stdout=subprocess.PIPE) for n in range(processes)]
    names = [line for w in workers for line in w.communicate(timeout=120)[0].decode().split()]
    check(len(names) == len(set(names)) == processes * each and set(names) == set(os.listdir(folder)), "16 processes at once")
    subjects = {subject_of(path) for path in folder.iterdir()}
    check(len(subjects) == processes * each, "16 processes at once: a message took the place of another")


def together(rounds, files):
    for number in range(rounds):
        folder, text = fresh("together", FAST), f"t{number}"
        said, _ = run("queue", folder, files, text)
        check(len(set(said)) == files, "the names differ")
        workers = [subprocess.Popen([WORKER, "process", folder, str(sink.port), "8"], stdout=subprocess.PIPE) for _ in range(2)]
        said = [line for w in workers for line in w.communicate(timeout=600)[0].decode().splitlines()]
        check(said.count("result 0 ") == 16 and len(said) == 18, f"round {number}: {said[:5]}")
        once = sum(sink.taken[f"{text}-{n}"] == 1 for n in range(files))
        check(once == files and not os.listdir(folder), f"round {number}: {once} of {files} once, {len(os.listdir(folder))} left")


def many(counts):
    folder = fresh("template", FAST)
    run("queue", folder, 1, "many")
    template = next(folder.iterdir()).read_bytes()
    measured = []
    for count in counts:
        folder = fresh("many", FAST)
        before = sink.taken["many-0"]
        for n in range(count):
            (folder / f"{n:020d}-0.queued").write_bytes(template)
        start = time.monotonic()
        said, _ = run("process", folder, sink.port, 1)
        seconds, peak = time.monotonic() - start, int(said[-1].split()[1])
        measured.append((seconds, peak))
        check(said[0] == "result 0 " and sink.taken["many-0"] - before == count, f"{count} files: {said[:3]}")
        print(f"{count} files: {seconds:.1f} s, peak {peak} KiB", flush=True)
    (few_s, few_kib), (many_s, many_kib) = measured
    factor = counts[1] / counts[0]
    check(many_s < few_s * factor * 1.6 + 1, f"the time grows faster than the files: {few_s:.1f} s, {many_s:.1f} s")
    check(many_kib < few_kib + 6 * 1024, f"the memory grows with the files: {few_kib} KiB, {many_kib} KiB")


def large(octets):
    said, _ = run("large", fresh("large"), sink.port, octets)
    peak = int(said[-1].split()[1])
    print(f"a message of {octets >> 20} MiB: peak {peak} KiB", flush=True)
    check(said[:2] == ["queue 0 ", "result 0 "] and sink.sizes.get("large", 0) > octets, f"large: {said}")
    check(peak < 24 * 1024, f"a message of {octets} octets takes {peak} KiB")


def clock(what, since=[time.monotonic()]):
    print(f"{what}: {time.monotonic() - since[0]:.1f} s, {failed} failed", flush=True)
    since[0] = time.monotonic()


def main():
    start = time.monotonic()
    order()
    short_writes()
    folders_that_do_not_sync()
    other_refusals()
    private_whatever_the_umask()
    processes_queue_at_once()
    clock("order, short writes, refusals, masks and crowds")
    queue = queue_faults()
    clock(f"{queue} faults at Queue")
    process = process_faults()
    clock(f"{process} faults at ProcessQueue")
    together(2 if SAMPLE else 50, 300 if SAMPLE else 1000)
    clock("two processes of eight threads")
    many((1_000, 5_000) if SAMPLE else (10_000, 100_000))
    clock("many files")
    large((64 if SAMPLE else 2048) << 20)
    print(f"{passed} passed, {failed} failed ({time.monotonic() - start:.0f} s)")
    return 1 if failed or not passed else 0


try:
    code = main()
finally:
    shutil.rmtree(ROOT, ignore_errors=True)
    shutil.rmtree(FAST, ignore_errors=True)
sys.exit(code)
