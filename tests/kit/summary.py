#!/usr/bin/env python3
"""Adds up what the test sets counted, as one closing line.

usage: summary.py RESULTS SET...

Each SET left RESULTS/SET.xml (ctest --output-junit). A program that counts its
own cases (GoogleTest, or a last line "N passed, N failed, N skipped") counts
with these; any other one counts as one case. A set without a file has not
run, which is a failure. Exit code 1 if anything failed.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree as ET

OWN_LINE = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
GTEST = {
    "passed": re.compile(r"^\[  PASSED  \] (\d+) tests?", re.M),
    "failed": re.compile(r"^\[  FAILED  \] (\d+) tests?, listed", re.M),
    "skipped": re.compile(r"^\[  SKIPPED \] (\d+) tests?, listed", re.M),
}


def count(case):
    """(passed, failed, skipped) of one ctest entry."""
    output = "".join(e.text or "" for e in case.iter("system-out"))
    status = case.get("status")
    if status in ("notrun", "disabled"):
        skipped = case.find("skipped")
        meant = status == "disabled" or (skipped is not None and "77" in skipped.get("message", ""))
        return (0, 0, 1) if meant else (0, 1, 0)  # otherwise it could not be started
    own = OWN_LINE.findall(output)
    if own:
        got = tuple(map(int, own[-1]))
    else:
        got = tuple(int((m := rx.search(output)) and m.group(1) or 0) for rx in GTEST.values())
    if status == "run" and (got[1] or got == (0, 0, 0)):
        return 1, 0, 0  # one case; or one that has to fail, and did
    # A program that passed its cases and then crashed has failed.
    if status != "run" and got[1] == 0:
        got = (got[0], 1, got[2])
    return got


def main():
    results = pathlib.Path(sys.argv[1])
    total = [0, 0, 0]
    failed, skipped, slow = [], [], []
    for name in sys.argv[2:]:
        file = results / (name + ".xml")
        if not file.exists():
            total[1] += 1
            failed.append(name + ": did not build or run")
            continue
        for case in ET.parse(file).getroot().iter("testcase"):
            counts = count(case)
            total = [a + b for a, b in zip(total, counts)]
            label = f"{name}/{case.get('name')}"
            if name == "bindings":
                print("{}: {} passed, {} failed, {} skipped".format(case.get("name"), *counts))
            if counts[1]:
                failed.append(label)
            if counts[2]:
                why = re.search(r"(?:SKIPPED:?|: skipped:) (.*)", "".join(e.text or "" for e in case.iter("system-out")))
                skipped.append(f"{label}: {counts[2]}" + (f", {why.group(1)}" if why else ""))
            slow.append((float(case.get("time") or 0), label))
    print("slowest: " + ", ".join(f"{l} {t:.0f} s" for t, l in sorted(slow, reverse=True)[:3]))
    for label in skipped:
        print("SKIPPED " + label)
    for label in failed:
        print("FAILED  " + label)
    print("{} passed, {} failed, {} skipped".format(*total))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
