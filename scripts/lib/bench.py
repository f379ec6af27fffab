#!/usr/bin/env python3
"""Runs the tables of scripts/bench with measure.py, prints them with the goals and writes the results as JSON.

A ratio is the median of the ratios of the rounds, in each of which both commands ran one after the other. What got more
than a tenth worse than in the results that were there before is shown.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# How much more than before is told.
WORSE = 1.1
FIRST, SECOND = "first image, cold cache", "second image, one more layer, warm cache"
FEW, MANY = "assay, 3 checks", "assay, more than 400 checks"


class Bench:
    def __init__(self, arguments):
        self.assay = arguments.assay
        self.tools = pathlib.Path(arguments.tools)
        self.files = pathlib.Path(arguments.files)
        self.forms = {name: path for name, path in (one.split("=", 1) for one in arguments.form)}

    def check(self, name: str, image: str, *options: str, **more) -> dict:
        """The whole static suite of Airflow. What is no Airflow does not conform: 1. The work is the same."""
        command = [self.assay, "check", image, "--only", "static", "--no-cache", "--quiet", *options]
        return {"name": name, "command": command, "codes": [0, 1]} | more

    def archive(self, file: str) -> list:
        test = [str(self.tools / "container-structure-test"), "test", "--driver", "tar", "--image", file]
        return [
            self.check("assay", f"docker-archive:{file}"),
            {
                "name": "dive --ci",
                "command": [str(self.tools / "dive"), "--ci", "--source", "docker-archive", file],
                # 1 when the image wastes more bytes than its rule allows.
                "codes": [0, 1],
                "environment": {"CI": "true"},
            },
            {"name": "openssl dgst -sha256", "command": ["openssl", "dgst", "-sha256", file]},
            {
                "name": "container-structure-test",
                "command": test + ["--config", str(self.files / "one-file.yaml")],
                "rounds": 2,
            },
        ]

    def debian(self) -> list:
        return self.archive(self.forms["debian"])

    def airflow(self) -> list:
        return self.archive(self.forms["airflow"])

    def layout(self) -> list:
        folder = self.forms["gzip"].rsplit(":", 1)[0]
        return [
            self.check("assay", f"oci:{self.forms['gzip']}"),
            {"name": "igzip | openssl, 2 at a time", "command": ["bash", str(self.files / "pipe.sh"), folder]},
        ]

    def zstd(self) -> list:
        return [
            self.check("assay", f"oci:{self.forms['zstd']}"),
            self.check("assay, gzip layers", f"oci:{self.forms['gzip']}"),
        ]

    def unpack(self) -> list:
        own, other = str(self.files / "unpacked-assay"), str(self.files / "unpacked-umoci")
        return [
            {
                "name": "assay",
                "command": [self.assay, "unpack", f"oci:{self.forms['gzip']}", own],
                "remove": [own, other],
            },
            {
                "name": "umoci unpack",
                "command": ["umoci", "unpack", "--image", self.forms["gzip"], other],
                "remove": [own, other],
                "rounds": 2,
            },
        ]

    def save(self) -> list:
        own, other = str(self.files / "saved-assay"), str(self.files / "saved-skopeo")
        source = f"oci:{self.forms['gzip']}"
        return [
            {
                "name": "assay",
                "command": [self.assay, "save", source, f"oci:{own}:bench"],
                "remove": [own, other],
            },
            {
                "name": "skopeo copy",
                "command": ["skopeo", "copy", "--quiet", source, f"oci:{other}:bench"],
                "remove": [own, other],
            },
        ]

    def cache(self) -> list:
        cache = str(self.files / "cache")
        environment = {"XDG_CACHE_HOME": cache}
        commands = []
        for name, form in ((FIRST, "gzip"), (SECOND, "more")):
            one = self.check(name, f"oci:{self.forms[form]}", environment=environment)
            one["command"].remove("--no-cache")
            commands.append(one)
        commands[0]["remove"] = [cache]
        return commands

    def files300k(self) -> list:
        return self.many("files300k")

    def files1m(self) -> list:
        return self.many("files1m")

    def zeros(self) -> list:
        return self.many("zeros")

    def many(self, form: str) -> list:
        folder = self.forms[form].rsplit(":", 1)[0]
        layers = [path for path in (pathlib.Path(folder) / "blobs/sha256").iterdir() if path.stat().st_size > 10_000]
        return [
            self.check("assay", f"oci:{self.forms[form]}"),
            {"name": "bsdtar -tf", "command": ["bsdtar", "-tf", str(max(layers, key=lambda path: path.stat().st_size))]},
        ]

    def start(self) -> list:
        return [
            {"name": "assay --version", "command": [self.assay, "--version"]},
            {"name": "bsdtar --version", "command": ["bsdtar", "--version"]},
        ]

    def judging(self) -> list:
        image = "docker-archive:" + self.forms["airflow"]
        return [
            self.check(name, image, "--suite", str(self.files / suite)) for name, suite in ((FEW, "few"), (MANY, "many"))
        ]


TITLES = {
    "debian": "Debian, one layer, `docker save`",
    "airflow": "Airflow, `docker save`",
    "layout": "Airflow, OCI layout, gzip layers",
    "zstd": "Airflow, OCI layout, zstd layers",
    "unpack": "Airflow, unpacked from an OCI layout",
    "save": "Airflow, from one OCI layout to another",
    "cache": "Airflow, decoded layers kept",
    "files300k": "300,000 empty files",
    "files1m": "1,000,000 empty files",
    "zeros": "a layer of 4 GiB zeros",
    "start": "start of the program",
    "judging": "Airflow, few checks and many",
}

# Table, command, the other one, and what the ratio of the first to the second is at most: wall, processor time.
GOALS = [
    ("debian", "assay", "dive --ci", 1.0, None),
    ("debian", "assay", "container-structure-test", 0.05, None),
    ("airflow", "assay", "dive --ci", 0.55, 0.85),
    ("airflow", "assay", "openssl dgst -sha256", 0.8, 1.2),
    ("airflow", "assay", "container-structure-test", 0.05, 0.07),
    ("layout", "assay", "igzip | openssl, 2 at a time", 0.85, 1.05),
    ("zstd", "assay", "assay, gzip layers", 0.9, None),
    ("unpack", "assay", "umoci unpack", 0.2, 0.25),
    ("save", "assay", "skopeo copy", 0.8, 0.8),
    ("cache", SECOND, FIRST, 0.1, None),
    ("start", "assay --version", "bsdtar --version", 2, None),
    # Judging takes less time than reading.
    ("judging", MANY, FEW, 2, None),
]

# Table, command, megabytes at most.
MEMORY_GOALS = [("airflow", "assay", 60), ("layout", "assay", 60), ("zstd", "assay", 110), ("files1m", "assay", 300)]


def ratio(one: dict, other: dict, key: str) -> float:
    return statistics.median(a / b for a, b in zip(one[key], other[key]))


def rows(commands: dict) -> list[list[str]]:
    first = next(iter(commands.values()))
    return [
        [
            name,
            f"{one['wall']:.3f}",
            f"{one['cpu']:.3f}",
            f"{one['memory'] / 1e6:.0f}",
            f"{ratio(one, first, 'walls'):.2f}",
            f"{ratio(one, first, 'cpus'):.2f}",
            str(one["rounds"]),
        ]
        for name, one in commands.items()
    ]


def show(title: str, commands: dict) -> None:
    print(f"\n{title}")
    print(f"  {'command':<42} {'wall s':>8} {'cpu s':>8} {'peak MB':>8} {'wall x':>7} {'cpu x':>7} rounds")
    for name, wall, cpu, memory, walls, cpus, rounds in rows(commands):
        print(f"  {name:<42} {wall:>8} {cpu:>8} {memory:>8} {walls:>7} {cpus:>7} {rounds:>6}")


def judge(results: dict) -> list[dict]:
    goals = []
    for table, name, other, *most in GOALS:
        if table not in results:
            continue
        one, peer = results[table][name], results[table][other]
        for what, key, limit in (("wall", "walls", most[0]), ("cpu", "cpus", most[1])):
            if limit is not None:
                reached = ratio(one, peer, key)
                text = f"{TITLES[table]}: {what} of {name} / {other}"
                goals.append({"goal": text, "most": limit, "reached": round(reached, 3), "met": reached <= limit})
    for table, name, limit in MEMORY_GOALS:
        if table in results:
            reached = results[table][name]["memory"] / 1e6
            text = f"{TITLES[table]}: peak MB of {name}"
            goals.append({"goal": text, "most": limit, "reached": round(reached, 1), "met": reached <= limit})
    return goals


def machine() -> str:
    model = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{os.cpu_count()} cores, {model[1] if model else platform.machine()}, Linux {platform.release()}"


def markdown(document: dict) -> str:
    """The part of README.md between its two marks."""
    lines = [
        f"{document['date']}, {document['machine']}; ratios to the first row of each table, warm page cache.",
        "",
        "| work | command | wall s | CPU s | peak MB | wall | CPU |",
        "|---|---|---|---|---|---|---|",
    ]
    for table, commands in document["tables"].items():
        for index, (name, wall, cpu, memory, walls, cpus, _) in enumerate(rows(commands)):
            title = TITLES[table] if not index else ""
            lines.append(f"| {title} | {name.replace('|', '&#124;')} | {wall} | {cpu} | {memory} | {walls} | {cpus} |")
    lines += ["", "| goal | at most | reached | |", "|---|---|---|---|"]
    for goal in document["goals"]:
        what = goal["goal"].replace("|", "&#124;")
        lines.append(f"| {what} | {goal['most']} | {goal['reached']} | {'met' if goal['met'] else 'missed'} |")
    return "\n".join(lines)


def write_readme(path: pathlib.Path, document: dict) -> None:
    text = path.read_text()
    begin, end = "<!-- figures of scripts/bench -->\n", "<!-- end of the figures -->\n"
    if text.count(begin) != 1 or text.count(end) != 1:
        sys.exit(f"{path} has no place for figures between {begin.strip()} and {end.strip()}")
    head, rest = text.split(begin)
    path.write_text(head + begin + "\n" + markdown(document) + "\n\n" + end + rest.split(end)[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("assay", "tools", "files", "tables", "output"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--form", action="append", default=[], help="NAME=PATH of an image")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--readme", type=pathlib.Path, help="the file whose figures are replaced")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    output = pathlib.Path(arguments.output)
    before = json.loads(output.read_text()) if output.exists() else {"goals": [], "tables": {}}
    results = {}
    for table in arguments.tables.split():
        done = subprocess.run(
            [HERE / "measure.py", str(arguments.rounds)],
            input=json.dumps(getattr(bench, table)()),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            return 3
        results[table] = json.loads(done.stdout)
        show(TITLES[table], results[table])
    goals = judge(results)
    known = {goal["goal"]: goal for goal in before["goals"]}
    print("\nwall x, cpu x: times as much as the first row. Peaks are those of all processes together.\n")
    for goal in goals:
        last = known.get(goal["goal"])
        worse = f", WORSE than {last['reached']}" if last and goal["reached"] > WORSE * last["reached"] else ""
        print(f"{'met   ' if goal['met'] else 'MISSED'} {goal['goal']}: {goal['reached']} of at most {goal['most']}{worse}")
    # Tables that were not measured now stay as they were.
    new = {goal["goal"] for goal in goals}
    merged = before["tables"] | results
    document = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "tables": {table: merged[table] for table in TITLES if table in merged},
        "goals": [goal for goal in before["goals"] if goal["goal"] not in new] + goals,
    }
    output.write_text(json.dumps(document, indent=2) + "\n")
    if arguments.readme:
        write_readme(arguments.readme, document)
    return 0 if all(goal["met"] for goal in goals) else 1


sys.exit(main())
