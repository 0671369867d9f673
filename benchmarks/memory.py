"""How much memory a process had."""

import resource
from pathlib import Path


def peak() -> float:
    """The most memory this process ever had, in MB; getrusage would count what its parent had when it started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # macOS counts bytes
    high = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(high.split()[1]) / 1024
