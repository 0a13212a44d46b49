"""kill -9 at random moments of a benchmark: it always resumes to the files of a run left alone.

Every trial starts in an empty folder, is killed with all its processes at a moment drawn uniformly
from the time between its first finished picture and the end (every fourth one: from the start on),
and is then started again. All result files, tables, sheets and
pictures are compared byte by byte; only measured times are left out.

    python benchmarks/bench_kill.py [--trials 20] [--workers 1] [--limit 12]
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fusionzoo import store
from fusionzoo.core import FusionZooError

TIMES = ("seconds",)
METHODS = "average,laplacian,max"


def command(out: Path, options: argparse.Namespace) -> list[str]:
    return [sys.executable, "-m", "fusionzoo.cli", "bench", "--methods", METHODS, "--datasets",
            "demo", "--metrics", "core", "--limit", str(options.limit), "--workers",
            str(options.workers), "--threads", "1", "--out", str(out)]  # fmt: skip


def start(out: Path, options: argparse.Namespace) -> subprocess.Popen[bytes]:
    silent = subprocess.DEVNULL
    return subprocess.Popen(
        command(out, options), stdout=silent, stderr=silent, start_new_session=True
    )


def first_picture(out: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a picture is on disk, or the run has ended."""
    while process.poll() is None and not any(out.glob("demo*/*")):
        time.sleep(0.01)


def content(out: Path) -> dict[str, object]:
    """Relative path to content of every file; times are taken out of results."""
    found: dict[str, object] = {}
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        name = str(path.relative_to(out))
        if path.suffix == ".json" and path.parent.name.startswith("demo"):
            plain = json.loads(path.read_text())
            for key in TIMES:
                plain.pop(key)
            found[name] = plain
        else:
            found[name] = path.read_bytes()
    return found


def finished(out: Path) -> int:
    """Pictures of cells that are on disk."""
    count = 0
    for path in {*out.glob("demo*/*.json"), *out.glob("demo*/*.partial.jsonl")}:
        cell = path.with_name(path.name.replace(".partial.jsonl", ".json"))
        try:
            count += len(store.known_records(cell))
        except FusionZooError as error:
            sys.exit(f"a killed run left a file that cannot be read: {error}")
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--limit", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    good = 0
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        began = time.monotonic()
        process = start(whole, options)
        first_picture(whole, process)
        first = time.monotonic() - began
        if process.wait():
            sys.exit("the run that was left alone failed")
        length = time.monotonic() - began
        expected = content(whole)
        print(f"a whole run takes {length:.1f} s, its first picture {first:.1f} s, "
              f"and writes {len(expected)} files; load {os.getloadavg()[0]:.1f}")  # fmt: skip
        for trial in range(options.trials):
            out = Path(folder) / f"trial{trial}"
            process = start(out, options)
            begun = time.monotonic()
            if trial % 4:
                first_picture(out, process)
            time.sleep(rng.uniform(0, length - first if trial % 4 else length))
            moment = time.monotonic() - begun
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kept = finished(out)
            again = start(out, options).wait()
            same = again == 0 and content(out) == expected
            good += same
            print(f"killed after {moment:5.1f} s with {kept:3} pictures on disk: "
                  f"{'identical' if same else 'DIFFERENT'}", flush=True)  # fmt: skip
    print(f"{good} of {options.trials} resumed to identical files")
    sys.exit(good != options.trials)


if __name__ == "__main__":
    main()
