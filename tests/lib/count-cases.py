#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Counts single test cases in what `meson test` wrote (meson-logs/testlog*.json) and names those that failed.
# The last line is `N passed, N failed`, with `, N skipped` if any were. A program that crashed, timed out, printed
# fewer cases than it planned or returned an error although its cases passed is one failed case more. Exits
# with 1 when one failed or none was run.

import json
import re
import sys

CASE = re.compile(r"^(not )?ok\b\s*(\d+)?\s*-?\s*(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)")
MAX_NOTES = 40
SKIP = re.compile(r"#\s*skip", re.IGNORECASE)


def count_program(test):
    """Returns (passed, names that failed, names that were skipped) of one line of the log."""
    passed, failed, skipped, planned = 0, [], [], None
    for line in (test.get("stdout") or "").splitlines():
        if plan := PLAN.match(line):
            planned = int(plan.group(1))
            continue
        case = CASE.match(line)
        if not case:
            continue
        if case.group(1):
            failed.append(case.group(3))
        elif SKIP.search(line):
            skipped.append(case.group(3))
        else:
            passed += 1
    if planned is None and test["result"] == "SKIP":
        skipped.append("(all of it)")
    elif planned is None and test["result"] == "OK" and not passed:
        passed = 1  # a test that is its exit status alone
    elif test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL") and not failed:
        failed.append(f"(the program: {test['result'].lower()}, status {test.get('returncode')})")
    elif planned is not None and planned != passed + len(failed) + len(skipped):
        failed.append(f"(the program: planned {planned} cases and did not report them all)")
    return passed, failed, skipped


def print_notes(test):
    """What a failed program said beside its cases, which meson shows only for the standard error."""
    notes = [line for line in (test.get("stdout") or "").splitlines() if line.startswith("# ")]
    for line in notes[-MAX_NOTES:]:
        print(f"         {line}")


def main():
    passed = failed = skipped = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8", errors="replace") as log:
            for test in map(json.loads, log):
                good, bad, left_out = count_program(test)
                passed, failed, skipped = passed + good, failed + len(bad), skipped + len(left_out)
                for name in bad:
                    print(f"FAILED   {test['name']}: {name}")
                if bad:
                    print_notes(test)
                for name in left_out:
                    print(f"skipped  {test['name']}: {name}")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
