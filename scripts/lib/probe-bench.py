#!/usr/bin/env python3
"""Measures probes, beside what runs the same containers without Assay. As root; ends with 1 when a goal is missed.

  probe-bench.py ASSAY IMAGE ROUNDS [SUITE]

First the milliseconds that one scenario takes beyond `runc run` of the same bundle, alternating. Then the seconds of
`assay check` for all probes of a suite (a directory), that of Airflow by default, beside the same scenarios one after
another by `docker run` (serial-probes.py). Docker's time begins when the image is in the engine's store, Assay's when
it is unpacked; Assay reads and verifies the image in its time. A Docker engine of its own is started and ended.
"""

import json
import os
import pathlib
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

SUITE = """suite: bench
title: One container that does nothing
scenarios:
  one: {containers: {main: {entrypoint: [/bin/sh, -c, "exit 0"]}}}
checks:
  - {id: B-1, title: it ends, run: one, expect: {exit: main}}
"""

# Saves the bundle that Assay makes, on its way to the real runc.
WRAPPER = """#!/bin/sh
if [ -e config.json ]; then
    cp config.json ../hosts ../hostname ../resolv.conf "{saved}"
    dirname "$PWD" >"{saved}/place"
    sed -n 's/.*lowerdir=\\([^,:]*\\).*/\\1/p' /proc/self/mounts | tail -n 1 >"{saved}/lower"
fi
exec "{runc}" "$@"
"""


def check(assay: str, image: str, report: pathlib.Path, *more: str, environment=None) -> tuple[float, dict]:
    start = time.monotonic()
    command = [assay, "check", image, "--runtime", "oci", "--quiet", "--report", f"json={report}", *more]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode not in (0, 1):
        sys.exit(f"{shlex.join(command)} ended with {result.returncode}: {result.stderr}")
    return time.monotonic() - start, json.loads(report.read_text())["images"][0]


def timed(command: list[str], **options) -> float:
    start = time.monotonic()
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, **options)
    return time.monotonic() - start


def measure_overhead(assay: str, image: str, rounds: int, place: pathlib.Path) -> float:
    suite = place / "bench.yaml"
    suite.write_text(SUITE)
    saved = place / "saved"
    wrapper = place / "bin/runc"
    for folder in (saved, wrapper.parent):
        folder.mkdir()
    wrapper.write_text(WRAPPER.format(saved=saved, runc=shutil.which("runc")))
    wrapper.chmod(0o755)
    path = {"PATH": f"{wrapper.parent}:{os.environ['PATH']}"}
    check(assay, image, place / "first.json", "--suite", str(suite), environment=os.environ | path)

    bundle = place / "bundle"
    bundle.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", bundle], check=True)
    try:
        for folder in ("rootfs", "upper", "work", "state"):
            (bundle / folder).mkdir()
        lower = (saved / "lower").read_text().strip()
        layers = f"lowerdir={lower},upperdir={bundle}/upper,workdir={bundle}/work"
        subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", bundle / "rootfs"], check=True)
        config = (saved / "config.json").read_text().replace((saved / "place").read_text().strip(), str(saved))
        (bundle / "config.json").write_text(config)
        bare, own = [], []
        for number in range(rounds + 1):
            one = timed(["runc", "--root", f"{bundle}/state", "run", f"assay-bench-{os.getpid()}-{number}"], cwd=bundle)
            _, record = check(assay, image, place / "one.json", "--suite", str(suite))
            # The first of each warms up.
            if number:
                bare.append(one)
                own.append(record["transcripts"][0]["duration"])
    finally:
        subprocess.run(["umount", "-R", bundle], check=False)
    overhead = 1000 * (statistics.median(own) - statistics.median(bare))
    print(f"| `runc run` of the bundle by hand | {1000 * statistics.median(bare):.0f} ms |")
    print(f"| **one scenario of assay** | {1000 * statistics.median(own):.0f} ms |")
    return overhead


def measure_set(assay: str, image: str, suite: str, place: pathlib.Path) -> float:
    for _ in range(2):
        own, record = check(assay, image, place / "set.json", "--only", "probe", "--suite", suite)
    host = f"unix://{place}/socket"
    environment = os.environ | {"DOCKER_HOST": host}
    environment.pop("DOCKER_CONTEXT", None)
    with (place / "log").open("w") as log:
        engine = subprocess.Popen(
            [
                *("dockerd", "--data-root", place / "docker", "--exec-root", place / "exec", "--pidfile", place / "pid"),
                *("--host", host, "--bridge", "none", "--iptables=false", "--ip6tables=false"),
            ],
            stdout=log,
            stderr=log,
        )
        try:
            for _ in range(100):
                if subprocess.run(["docker", "version"], env=environment, capture_output=True, check=False).returncode == 0:
                    break
                time.sleep(0.2)
            archive = place / "image.tar"
            subprocess.run(["skopeo", "copy", "--quiet", image, f"docker-archive:{archive}:assay/bench:1"], check=True)
            subprocess.run(["docker", "load", "--quiet", "--input", archive], env=environment, capture_output=True, check=True)
            archive.unlink()
            serial = subprocess.run(
                [pathlib.Path(__file__).with_name("serial-probes.py"), "assay/bench:1", suite, place / "set.json"],
                env=environment, stdout=subprocess.PIPE, text=True, check=True)
            peer = json.loads(serial.stdout)
        finally:
            engine.terminate()
            engine.wait()
            subprocess.run(["umount", place / "exec/netns/default"], capture_output=True, check=False)
    for other in peer["others"]:
        print(f"docker's ended otherwise: {other}", file=sys.stderr)
    what = f"{peer['scenarios']} scenarios with {peer['containers']} containers"
    print(f"| {what} by `docker run`, one after another | {peer['seconds']:.1f} s |")
    print(f"| **the same by `assay check`** | {own:.1f} s |")
    return own / peer["seconds"]


def main() -> int:
    if len(sys.argv) not in (4, 5) or os.geteuid() != 0:
        print(__doc__, file=sys.stderr)
        return 2
    assay, image, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    suite = sys.argv[4] if len(sys.argv) == 5 else str(pathlib.Path(__file__).parents[2] / "Conformance/airflow")
    # What was started is ended then too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        place = pathlib.Path(folder)
        print("\n| probes | time |\n|---|---|")
        overhead = measure_overhead(assay, image, rounds, place)
        share = measure_set(assay, image, suite, place)
    goals = [
        (overhead <= 60, f"a scenario takes at most 60 ms more than runc: {overhead:.0f} ms"),
        (share <= 1 / 3, f"the probes take at most a third of docker's time: {share:.2f}"),
    ]
    print()
    for is_met, text in goals:
        print(f"{'met   ' if is_met else 'MISSED'} {text}")
    return 0 if all(is_met for is_met, _ in goals) else 1


sys.exit(main())
