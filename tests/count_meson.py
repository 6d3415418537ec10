#!/usr/bin/env python3
"""Add up what the tests of a 'meson test' run said.

A cmocka program counts as many as it holds; any other test counts as one. A
program that fails without naming a failed test (a sanitizer's report, a crash)
adds one failure. Prints the counts as 'dev' wants them.
"""
import json
import re
import sys


def counts(test):
    text = (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")
    passed = sum(int(n) for n in re.findall(
        r"^\[  PASSED  \] (\d+) test", text, re.M))
    failed = sum(int(n) for n in re.findall(
        r"^\[  FAILED  \](?: [^:\n]*:)? (\d+) test", text, re.M))
    good = test["result"] in ("OK", "SKIP", "EXPECTEDFAIL")
    if test["result"] == "SKIP":
        return 0, 0
    if good and not passed and not failed:
        passed = 1
    if not good and not failed:
        failed = 1
    return passed, failed


def main():
    passed = failed = 0
    try:
        with open(sys.argv[1], encoding="utf-8") as log:
            for line in log:
                p, f = counts(json.loads(line))
                passed += p
                failed += f
    except OSError as error:
        print(f"no test log: {error}")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
