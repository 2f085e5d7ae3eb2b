#!/usr/bin/env python3
"""Writes docs/conformance.md from the recorded results, beside the peers' figures."""

import csv
import pathlib

import results

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / "results.jsonl"
PAGE = HERE.parent / "docs" / "conformance.md"
SPECIFICATION = HERE.parent / "api-spec"
# What a test may need beside a client-server API of one server, and the operations without which that is not there.
NEEDS = {
    "federation": {"sendTransaction", "sendJoinV2", "getMissingPreviousEvents", "getContent", "getSpaceHierarchy"},
    "encryption": {"uploadKeys", "claimKeys", "uploadCrossSigningKeys", "sendToDevice", "postRoomKeysVersion"},
    "pushers": {"postPusher"},
}
# The specification has not got it yet, so it is in no list of what is not served.
SLIDING_SYNC = "simplified_msc3575"

HEAD = """# Conformance

This page is made by `complement/report.py` from `complement/results.jsonl`; `complement/run` renews both.

[Complement](https://github.com/matrix-org/complement) is the conformance suite of the Matrix project.
All of it is run, unmodified, at `{upstream}`: every package, without a server's tag (which would leave out what that server fails), and no test is skipped, retried or taken off a list.
The results below are of Hearth at commit `{commit}`.
A line is a test or one of its parts; a test passes when all of its parts do. Some lines are skipped by the suite whatever the server.

| | tests passed | lines passed | failed | skipped |
|---|---:|---:|---:|---:|
{totals}

The peers were run on 22 November 2026, on a machine with 2 cores, at the same version of the suite and without a tag: Synapse 1.163.2 with the settings of its own conformance image (SQLite, room version 11 as the default, unauthenticated media on), Dendrite at `08cac1cc`.
Published figures of other servers are of changed copies of the suite, with tests left out, and do not compare: Tuwunel 80 % of lines, Continuwuity 64 %.

## By area

Tests passed, of those of the area.

| area | tests | Hearth | {peers} |
|---|---:|---:|{rules}|
{areas}

## What does not pass, and why

{open}"""


def read_table(path):
    """The rows of a CSV file that begins with comments."""
    with path.open() as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def totals_row(name, lines):
    """How many tests and lines of one server passed."""
    top = results.top_level(lines).values()
    each = list(lines.values())
    tests = f"{sum(action == 'pass' for action in top)} of {len(top)}"
    return f"| {name} | {tests} | {each.count('pass')} | {each.count('fail')} | {each.count('skip')} |"


def passed(tests, lines):
    """How many of these tests passed."""
    return sum(lines.get(test) == "pass" for test in tests)


def not_built():
    """Those of the needs that the server has not got, by the list of what it does not serve."""
    not_served = set((SPECIFICATION / "not-served.txt").read_text().split())
    missing = {need for need, operations in NEEDS.items() if operations & not_served}
    if not any(SLIDING_SYNC in path.read_text() for path in SPECIFICATION.glob("*/*.yaml")):
        missing.add("sliding sync")
    return missing


def open_tests(tests, ours):
    """What fails, by what it needs that is not built."""
    by_reason, missing = {}, not_built()
    for key, row in tests.items():
        if ours.get(key) != "pass":
            needs = [need for need in row["needs"].split(" + ") if need in missing]
            by_reason.setdefault(" + ".join(needs), []).append(key)
    parts = []
    for reason in sorted(by_reason):
        title = f"Needs {reason}, which is not built yet" if reason else "Fails, though what it needs is there"
        parts.append(f"### {title} ({len(by_reason[reason])})\n")
        for package, test in sorted(by_reason[reason]):
            below = [action for key, action in ours.items() if key[0] == package and key[1].startswith(f"{test}/")]
            of = f": {below.count('pass')} of its {len(below)} parts pass" if below else ""
            parts.append(f"- {package} {test}{of}")
        parts.append("")
    return "\n".join(parts) if parts else "Everything passes.\n"


def render():
    """The whole page."""
    head, ours = results.read(RESULTS)
    tests = {(row["package"], row["test"]): row for row in read_table(HERE / "tests.csv")}
    peer_rows = read_table(HERE / "peers.csv")
    names = [name for name in peer_rows[0] if name not in ("package", "test")]
    peers = {
        name: {(row["package"], row["test"]): row[name] for row in peer_rows if row[name]} for name in names
    }
    areas = {}
    for key, row in tests.items():
        areas.setdefault(row["area"], []).append(key)
    area_rows = [
        f"| {area} | {len(keys)} | {passed(keys, ours)} | {' | '.join(str(passed(keys, peers[name])) for name in names)} |"
        for area, keys in sorted(areas.items(), key=lambda item: item[0].lower())
    ]
    return HEAD.format(
        upstream=head["upstream"],
        commit=head["commit"],
        totals="\n".join([totals_row("Hearth", ours), *(totals_row(name, peers[name]) for name in names)]),
        peers=" | ".join(names),
        rules="|".join("---:" for _ in names),
        areas="\n".join(area_rows),
        open=open_tests(tests, ours),
    )


def main():
    """Writes the page."""
    PAGE.write_text(render())


if __name__ == "__main__":
    main()
