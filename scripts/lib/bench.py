#!/usr/bin/env python3
"""Runs the tables of scripts/bench with measure.py, prints them with the goals and writes the results as JSON.

Ratios are medians of the ratios of one round: both commands of such a ratio ran one after the other.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


# The command of the table "judging" whose suite has more than 400 checks.
MANY = "assay, more than 400 checks"


def commands_of(table: str, arguments) -> list:
    """The commands of a table; the first is what the others are compared with."""
    file = {"debian": arguments.debian, "airflow": arguments.airflow, "judging": arguments.airflow}.get(table)
    if table == "judging":
        image = "docker-archive:" + file
        return [
            {"name": name, "command": [arguments.assay, "check", "--suite", suite, image, "--quiet"], "codes": [0, 1]}
            for name, suite in (("assay", f"{arguments.files}/few"), (MANY, f"{arguments.files}/many"))
        ]
    if table == "layout":
        layout = arguments.layout.rsplit(":", 1)[0]
        return [
            {"name": "assay", "command": [arguments.assay, "check", "oci:" + arguments.layout, "--only", "static", "--quiet"], "codes": [0, 1]},
            {"name": "igzip | openssl, 2 at a time", "command": ["bash", f"{arguments.files}/pipe.sh", layout]},
        ]
    commands = [
        # A plain Debian does not conform: 1. The work is the same.
        {
            "name": "assay",
            "command": [arguments.assay, "check", "--suite", "airflow", "docker-archive:" + file, "--only", "static", "--quiet"],
            "codes": [0, 1],
        },
        # 1 when the image wastes more bytes than its rule allows.
        {
            "name": "dive --ci",
            "command": [f"{arguments.tools}/dive", "--ci", "--source", "docker-archive", file],
            "codes": [0, 1],
            "environment": {"CI": "true"},
        },
        {"name": "openssl dgst -sha256", "command": ["openssl", "dgst", "-sha256", file]},
    ]
    if table == "debian":
        test = [f"{arguments.tools}/container-structure-test", "test", "--driver", "tar", "--image", file]
        commands.append(
            {
                "name": "container-structure-test",
                "command": test + ["--config", f"{arguments.files}/one-file.yaml"],
                "rounds": 7,
            }
        )
    return commands


# Table, field, command, the least ratio of that command to assay, and what is said about it.
GOALS = [
    ("debian", "container-structure-test", 20, "at least 20 times as fast as container-structure-test"),
    ("debian", "dive --ci", 1, "not slower than dive"),
    ("airflow", "dive --ci", 1, "not slower than dive"),
]


def ratio(other: list, own: list) -> float:
    return statistics.median(a / b for a, b in zip(other, own))


def megabytes(count: int) -> str:
    return f"{count / 1e6:.1f}"


def show(table: str, subject: str, measured: dict) -> None:
    own = measured["commands"]["assay"]
    print(f"\n{table}: {subject}")
    print(f"  {'command':<30} {'wall s':>8} {'cpu s':>8} {'peak MB':>8} {'wall':>8} {'cpu':>8}  rounds")
    for name, one in measured["commands"].items():
        walls, cpus = ratio(one["walls"], own["walls"]), ratio(one["cpus"], own["cpus"])
        print(
            f"  {name:<30} {one['wall']:>8.3f} {one['cpu']:>8.3f} {megabytes(one['memory']):>8} "
            f"{walls:>7.2f}x {cpus:>7.2f}x  {one['rounds']}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("assay", "tools", "files", "debian", "airflow", "layout", "only", "output"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    arguments = parser.parse_args()
    results = {}
    for table in ("debian", "airflow", "layout", "judging"):
        if arguments.only not in ("", table):
            continue
        done = subprocess.run(
            [HERE / "measure.py", str(arguments.rounds)],
            input=json.dumps(commands_of(table, arguments)),
            stdout=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            return 3
        results[table] = json.loads(done.stdout)
        file = {"debian": arguments.debian, "airflow": arguments.airflow, "judging": arguments.airflow}.get(table)
        size = f", {megabytes(os.path.getsize(file))} MB" if file else ", gzip layers"
        subject = {
            "debian": "Debian, one layer",
            "airflow": "Airflow",
            "layout": "Airflow as an OCI layout",
            "judging": "Airflow, a suite of three checks and one of more than 400",
        }[table]
        show(table, subject + size, results[table])
    floor = max(one["memoryFloor"] for one in results.values())
    print(f"\nwall and cpu: times as much as assay. Peaks below {megabytes(floor)} MB cannot be seen.\n")
    goals = []
    for table, command, least, text in GOALS:
        if table not in results:
            continue
        commands = results[table]["commands"]
        reached = ratio(commands[command]["walls"], commands["assay"]["walls"])
        goals.append({"table": table, "goal": text, "least": least, "ratio": reached, "met": reached >= least})
        print(f"goal {'met' if reached >= least else 'MISSED'}: {table}: {text}: {reached:.2f} times")
    if "judging" in results:
        commands = results["judging"]["commands"]
        reading, both = commands["assay"]["wall"], commands[MANY]["wall"]
        judging = ratio(commands[MANY]["walls"], commands["assay"]["walls"]) - 1
        met = judging <= 1
        goals.append({"table": "judging", "goal": "judging 400 checks is faster than reading", "most": 1, "ratio": judging, "met": met})
        print(
            f"goal {'met' if met else 'MISSED'}: judging: reading takes {reading:.3f} s, loading and judging more than "
            f"400 checks {max(0, both - reading):.3f} s: {judging:.2f} times"
        )
    document = {"cpus": os.cpu_count(), "tables": results, "goals": goals}
    pathlib.Path(arguments.output).write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    return 0 if all(goal["met"] for goal in goals) else 1


sys.exit(main())
