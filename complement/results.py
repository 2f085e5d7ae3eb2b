"""The recorded results: one JSON object a line, the first of them saying of what.

    {"upstream": "v0.0.0-…", "commit": "…"}
    {"package": "tests/csapi", "test": "TestSync/parallel/…", "action": "pass"}
"""

import json

# `go test` starts these anew for each line of a test; what is recorded is how it ended.
ENDS = ("pass", "fail", "skip")


def read(path):
    """The head and the results of a file; nothing of none."""
    if not path.exists():
        return {}, {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return lines[0], {(line["package"], line["test"]): line["action"] for line in lines[1:]}


def write(path, head, results):
    """Writes a file, sorted, so that two runs with the same results differ in the head alone."""
    lines = [head]
    lines += [{"package": package, "test": test, "action": results[package, test]} for package, test in sorted(results)]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def lost(before, now, whole):
    """The lines that passed before and do not pass now. A line that is gone counts in a whole run only."""
    old = (key for key, action in before.items() if action == "pass")
    return sorted(key for key in old if now.get(key, "gone" if whole else "pass") != "pass")


def top_level(results):
    """The results of whole tests, without their parts."""
    return {key: action for key, action in results.items() if "/" not in key[1]}
