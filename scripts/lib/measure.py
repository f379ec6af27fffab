#!/usr/bin/env python3
"""Measures commands side by side: every round runs each command once, in turn, so that a machine that gets slower gets
slower for all of them.

  measure.py ROUNDS < commands.json > results.json

Standard input is a list of {"name": …, "command": […], "codes": [0, …], "rounds": N, "environment": {…}}; `codes` are the
exit codes that mean the work was done, `rounds` caps the rounds of a slow command. One more round before them warms the
page cache and is not counted. Standard output has for each name the medians of wall and processor seconds, all values,
and the largest peak memory in bytes, that of the largest single process of the command's tree.

The smallest peak memory that can be seen is the harness's own: a child is a copy of it until it becomes the command.
"""

import json
import os
import resource
import statistics
import sys
import time


def run(command: dict) -> dict:
    environment = os.environ | command.get("environment", {})
    start = time.monotonic()
    null = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1, 2)]
    process = os.posix_spawnp(command["command"][0], command["command"], environment, file_actions=null)
    _, status, usage = os.wait4(process, 0)
    wall = time.monotonic() - start
    code = os.waitstatus_to_exitcode(status)
    if code not in command.get("codes", [0]):
        sys.exit(f"{command['name']} ended with {code}: {' '.join(command['command'])}")
    # The usage of a child has that of the processes it has waited for, but of their memory the largest only.
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss * 1024}


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    rounds = int(sys.argv[1])
    commands = json.load(sys.stdin)
    runs = {command["name"]: [] for command in commands}
    for number in range(rounds + 1):
        for command in commands:
            if number > command.get("rounds", rounds):
                continue
            label = f"round {number} of {rounds}" if number else "warm-up"
            print(f"bench: {label}: {command['name']}", file=sys.stderr)
            if not number and command.get("rounds", rounds) < rounds:
                continue
            result = run(command)
            if number:
                runs[command["name"]].append(result)
    results = {}
    for name, measured in runs.items():
        results[name] = {
            "rounds": len(measured),
            "wall": statistics.median(one["wall"] for one in measured),
            "cpu": statistics.median(one["cpu"] for one in measured),
            "memory": max(one["memory"] for one in measured),
            "walls": [round(one["wall"], 4) for one in measured],
            "cpus": [round(one["cpu"], 4) for one in measured],
        }
    json.dump(
        {"commands": results, "memoryFloor": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024},
        sys.stdout,
    )
    return 0


sys.exit(main())
