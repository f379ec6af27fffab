#!/usr/bin/env python3
"""Measures commands side by side: every round runs each command once, in turn, so that a machine that gets slower gets
slower for all of them.

  measure.py ROUNDS < commands.json > results.json

Standard input is a list of {"name": …, "command": […], "codes": [0, …], "rounds": N, "environment": {…}, "remove": […]};
`codes` are the exit codes that mean the work was done, `rounds` caps the rounds of a slow command, `remove` are paths
that are removed before each run. One more round before them warms the page cache and is not counted: in it the memory
of each command is looked at, every few milliseconds, as the sum of the proportional set sizes (proc_pid_smaps(5)) of
the process and all of its descendants. Standard output has for each name the medians of wall and processor seconds,
all values, and that peak in bytes.
"""

import json
import os
import pathlib
import re
import shutil
import statistics
import sys
import time

INTERVAL = 0.004


def descendants(process: int) -> list[int]:
    found = [process]
    for one in found:
        try:
            for thread in os.listdir(f"/proc/{one}/task"):
                found += map(int, pathlib.Path(f"/proc/{one}/task/{thread}/children").read_text().split())
        except OSError:
            # It has ended.
            continue
    return found


def memory(process: int) -> int:
    total = 0
    for one in descendants(process):
        try:
            text = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(size) for size in re.findall(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)) * 1024
    return total


def run(command: dict, looks: bool) -> dict:
    for path in command.get("remove", []):
        shutil.rmtree(path, ignore_errors=True)
    environment = os.environ | command.get("environment", {})
    start = time.monotonic()
    null = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1, 2)]
    process = os.posix_spawnp(command["command"][0], command["command"], environment, file_actions=null)
    peak = 0
    while looks:
        done, status, usage = os.wait4(process, os.WNOHANG)
        if done:
            break
        peak = max(peak, memory(process))
        time.sleep(INTERVAL)
    else:
        _, status, usage = os.wait4(process, 0)
    wall = time.monotonic() - start
    code = os.waitstatus_to_exitcode(status)
    if code not in command.get("codes", [0]):
        sys.exit(f"{command['name']} ended with {code}: {' '.join(command['command'])}")
    # The usage of a child has that of the processes it has waited for.
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": peak}


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    rounds = int(sys.argv[1])
    commands = json.load(sys.stdin)
    runs = {command["name"]: [] for command in commands}
    peaks = {}
    for number in range(rounds + 1):
        for command in commands:
            if number > command.get("rounds", rounds):
                continue
            label = f"round {number} of {rounds}" if number else "warm-up"
            print(f"bench: {label}: {command['name']}", file=sys.stderr)
            result = run(command, looks=not number)
            if number:
                runs[command["name"]].append(result)
            else:
                peaks[command["name"]] = result["memory"]
    results = {}
    for name, measured in runs.items():
        results[name] = {
            "rounds": len(measured),
            "wall": round(statistics.median(one["wall"] for one in measured), 4),
            "cpu": round(statistics.median(one["cpu"] for one in measured), 4),
            "memory": peaks[name],
            "walls": [round(one["wall"], 4) for one in measured],
            "cpus": [round(one["cpu"], 4) for one in measured],
        }
    json.dump(results, sys.stdout)
    return 0


sys.exit(main())
