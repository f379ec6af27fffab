#!/usr/bin/env python3
"""report-bench.py ASSAY FOLDER ROUNDS: how long each format takes of a record of 5,000 checks on 20 images.

What reading the record takes is measured beside it, in turn, and taken off. Prints a table and the goal, and ends with
1 when the goal is missed.
"""

import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

CHECKS = 5_000
IMAGES = 20
GOAL = 2.0


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def result(check: int, image: int) -> dict:
    outcome = ["pass"] * 8 + ["fail", "skipped", "notApplicable", "error", "waived"]
    outcome = outcome[(check + image) % len(outcome)]
    layer = check % 18 + 1
    value = {
        "id": f"ACME-FS-{check}",
        "title": f"the folder {check} belongs to airflow and group 0",
        "suite": "acme",
        "group": f"group-{check % 20}",
        "severity": "error",
        "outcome": outcome,
        "findings": [],
        "statements": ["B01", "F24"],
        "source": "Using the production image",
        "remedy": f"chown airflow:0 /opt/airflow/{check}",
        "position": {"file": "acme/filesystem.yaml", "line": check + 1, "column": 9},
        "duration": 0.0001,
    }
    if outcome != "pass":
        value["reason"] = f"reason {check % 7}"
    if outcome in ("pass", "fail", "waived"):
        value["findings"] = [
            {
                "subject": {"kind": "path", "name": f"/opt/airflow/{check}"},
                "expected": "owner 50000",
                "observed": f"owner {check}",
                "details": [],
                "provenance": {
                    "layer": layer,
                    "layerDigest": digest(layer),
                    "diffID": digest(100 + layer),
                    "instruction": f"RUN /bin/sh -c make step-{layer} # buildkit",
                },
            }
        ]
    return value


def image(number: int) -> dict:
    return {
        "image": {
            "reference": f"docker-daemon:acme/airflow:2.{number}",
            "configDigest": digest(1_000 + number),
            "platform": "linux/amd64",
            "layers": [
                {"digest": digest(layer), "diffID": digest(100 + layer), "size": 1, "uncompressedSize": 2}
                for layer in range(1, 19)
            ],
        },
        "parameters": [],
        "results": [result(check, number) for check in range(CHECKS)],
        "notes": [],
        "duration": 1,
    }


def record() -> dict:
    return {
        "version": 1,
        "tool": {"name": "assay", "version": "0.1.0"},
        "started": "2026-11-23T12:00:00Z",
        "complete": True,
        "suites": [{"name": "acme", "digest": digest(7)}],
        "images": [image(number) for number in range(IMAGES)],
        "unreadable": [],
    }


def formats(assay: str) -> list:
    text = subprocess.run([assay, "report", "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = re.search(r"Write a report: ([a-z, -]+)\.", " ".join(text.split()))
    if not found:
        sys.exit("report-bench.py: assay report --help names no formats")
    return found.group(1).split(", ")


def seconds(assay: str, file: pathlib.Path, reports: list) -> float:
    command = [assay, "report", str(file), "--quiet"]
    for name in reports:
        command += ["--report", f"{name}={file.parent}/reports/"]
    start = time.monotonic()
    code = subprocess.run(command).returncode
    if code != 1:
        sys.exit(f"report-bench.py: {' '.join(command)} ended with {code}")
    return time.monotonic() - start


def main() -> int:
    assay, folder, rounds = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "record.json"
    file.write_text(json.dumps(record()), encoding="utf-8")
    names = formats(assay)
    taken: dict = {name: [] for name in names + ["all"]}
    reading = []
    for _ in range(rounds):
        base = seconds(assay, file, [])
        reading.append(base)
        for name in names:
            taken[name].append(seconds(assay, file, [name]) - base)
        taken["all"].append(seconds(assay, file, names) - base)
    print(f"reports: {CHECKS:,} checks on {IMAGES} images; reading the record takes {statistics.median(reading):.2f} s")
    print("| format | s |")
    print("|---|---|")
    for name in names + ["all"]:
        print(f"| {name} | {statistics.median(taken[name]):.2f} |")
    total = statistics.median(taken["all"])
    met = total <= GOAL
    print(f"goal {'met' if met else 'MISSED'}: reports: every format in {total:.2f} s, at most {GOAL} s")
    return 0 if met else 1


sys.exit(main())
