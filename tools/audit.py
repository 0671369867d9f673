"""make audit: known faults of what is locked, asked of PyPI's advisories by pip-audit; `make lint` asks too.

A fault that is accepted stands in tools/audit.toml with its reason. Where the advisories cannot be reached, nothing is
known and nothing is claimed: that is said, and is no fault of the code.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_SECONDS = 300


def main() -> int:
    """1 where something locked has a known fault that is not accepted."""
    accepted: dict[str, str] = tomllib.loads((_ROOT / "tools" / "audit.toml").read_text()).get("accepted", {})
    told = _asked()
    if told is None:
        print("audit: the advisories cannot be reached from here, so nothing is known of what is locked.")
        return 0
    found = [(of["name"], of["version"], fault) for of in told if "skip_reason" not in of for fault in of["vulns"]]
    open_ = [(name, version, fault) for name, version, fault in found if fault["id"] not in accepted]
    for name, version, fault in open_:
        print(
            f"audit: {name} {version} has {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'no version'}"
        )
    asked = sum("skip_reason" not in of for of in told)
    if not asked:
        print(f"audit: this package index has no advisories, so nothing is known of the {len(told)} locked packages.")
    else:
        said = f"{len(open_)} open faults, {len(accepted)} accepted"
        print(f"audit: {asked} of {len(told)} locked packages asked for, {said}")
    return bool(open_)


def _asked() -> list[dict[str, Any]] | None:
    """Each locked package with its faults; None where nobody answers."""
    command = ["-m", "pip_audit", "--requirement", "requirements-dev.txt", "--require-hashes", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        ended = subprocess.run(  # noqa: S603 (our own words)
            [sys.executable, *command], cwd=_ROOT, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        told: list[dict[str, Any]] = json.loads(ended.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    return told


if __name__ == "__main__":
    sys.exit(main())
