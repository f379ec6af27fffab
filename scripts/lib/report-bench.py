#!/usr/bin/env python3
"""report-bench.py ASSAY FOLDER ROUNDS: how long reports of 5,000 checks on 20 images take, and how usable the page is.

All formats by one command, reading the record included; each alone, less what reading takes, which is measured in turn;
the page in a Chromium without a window. Prints tables and the goals, and ends with 1 when one is missed.
"""

import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "Tests/AcceptanceTests/Browser"))
from chromium import Chromium, Page  # noqa: E402

CHECKS = 5_000
IMAGES = 20
GOAL = 2.0
PAINT_GOAL = 1.0


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


# Seconds from a change of the filter to the next frame that shows what came of it.
RESPONSE = """(async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const shown = document.getElementById("shown");
  const start = performance.now();
  CHANGE;
  while (!shown.textContent) await frame();
  await frame();
  return (performance.now() - start) / 1000;
})()"""
SEARCH = """const query = document.getElementById("query");
  query.value = "acme-fs-4321";
  query.dispatchEvent(new Event("input"))"""
FILTER = "document.querySelector('[data-outcome=fail]').click()"


def page_seconds(file: pathlib.Path) -> dict:
    with Chromium() as browser:
        Page(browser, "about:blank")
        page = Page(browser, file.resolve().as_uri())
        paint = page.evaluate(
            "performance.getEntriesByType('paint').find((e) => e.name === 'first-contentful-paint').startTime / 1000")
        loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd / 1000")
        taken = {"first paint": paint, "loaded": loaded, "search": page.evaluate(RESPONSE.replace("CHANGE", SEARCH))}
        page = Page(browser, file.resolve().as_uri())
        return taken | {"filter": page.evaluate(RESPONSE.replace("CHANGE", FILTER))}


def look_at_page(file: pathlib.Path, rounds: int) -> bool:
    taken = [page_seconds(file) for _ in range(rounds)]
    print(f"\npage of {file.stat().st_size / 1e6:.1f} MB in a browser\n| what | s |\n|---|---|")
    for name in taken[0]:
        print(f"| {name} | {statistics.median(one[name] for one in taken):.2f} |")
    return goal("first paint", statistics.median(one["first paint"] for one in taken), PAINT_GOAL)


def goal(name: str, taken: float, most: float) -> bool:
    met = taken <= most
    print(f"goal {'met' if met else 'MISSED'}: reports: {name} in {taken:.2f} s, at most {most} s")
    return met


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
        taken["all"].append(seconds(assay, file, names))
    print(f"reports: {CHECKS:,} checks on {IMAGES} images; reading the record takes {statistics.median(reading):.2f} s")
    print("| format | s |")
    print("|---|---|")
    for name in names:
        print(f"| {name} | {statistics.median(taken[name]):.2f} |")
    met = goal("every format", statistics.median(taken["all"]), GOAL)
    met &= look_at_page(file.parent / "reports/assay.html", rounds)
    return 0 if met else 1


sys.exit(main())
