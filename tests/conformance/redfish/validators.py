"""
Runs DMTF's two validators, as the shared tool does, and tells also why what they did not test was not. A program.

    python -m tests.conformance.redfish.validators TOOL REASONS [arguments of the tool]

The reasons go to the file REASONS, as a JSON object by assertion.
"""

import json
import runpy
import sys
from pathlib import Path
from unittest.mock import patch


def run() -> None:
    _, tool, reasons, *arguments = sys.argv
    # The tool's last act is to exit, with what it found in its globals.
    with patch.object(sys, "argv", [tool, *arguments]), patch.object(sys, "exit"):
        found = runpy.run_path(tool, run_name="__main__")
    told: dict[str, list[str]] = {}
    for assertion, entries in found["p"].results.items():
        messages = sorted({entry["msg"] for entry in entries if entry["result"].name == "NOT_TESTED"})
        if messages:
            told[assertion.name] = messages
    Path(reasons).write_text(json.dumps(told))
    sys.exit(bool(found["bad"]))


if __name__ == "__main__":
    run()
