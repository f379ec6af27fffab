#!/usr/bin/env python3
"""Makes Reports/mutants.md and Reports/mutants.json of the rows that the tests wrote; prints the counts.

  mutants.py ROWS.json...

Ends with 1 when a row is not as expected.
"""

import json
import pathlib
import sys

REPORTS = pathlib.Path(__file__).resolve().parent.parent.parent / "Reports"


def verdict(row: dict) -> str:
    if row["errors"]:
        return "not decided"
    missing = set(row["expected"]) - set(row["failing"])
    more = set(row["failing"]) - set(row["expected"])
    if missing:
        return "SURVIVES"
    if more:
        return "FAILS MORE"
    return "killed" if row["expected"] and row.get("mutant") else "conforms"


def main(files: list[str]) -> int:
    rows = []
    for file in files:
        rows += json.loads(pathlib.Path(file).read_text(encoding="utf-8"))
    for row in rows:
        row["verdict"] = verdict(row)
    wrong = [row for row in rows if row["verdict"] not in ("killed", "conforms")]
    mutants = [row for row in rows if row["verdict"] == "killed"]
    counts = {
        "mutants": len([row for row in rows if row.get("mutant") and row["expected"]]),
        "killed": len(mutants),
        "conforming images": len([row for row in rows if row["verdict"] == "conforms"]),
        "statements": len({row["statement"] for row in mutants if row.get("statement")}),
        "checks": len({check for row in mutants for check in row["expected"]}),
        "not as expected": len(wrong),
    }
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / "mutants.json").write_text(
        json.dumps({"counts": counts, "rows": rows}, indent=2) + "\n", encoding="utf-8"
    )
    lines = ["# Mutants", ""]
    lines += [f"- {name}: {count}" for name, count in counts.items()]
    lines += ["", "| image | mutant | statement | has to fail | fails | verdict |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = [
            row["image"],
            row.get("mutant") or "none",
            row.get("statement") or "",
            " ".join(row["expected"]),
            "the same" if row["failing"] == row["expected"] else " ".join(row["failing"] + row["errors"]),
            row["verdict"],
        ]
        lines.append("| " + " | ".join(cells) + " |")
    (REPORTS / "mutants.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(", ".join(f"{count} {name}" for name, count in counts.items()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
