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


def resident(process: int) -> float:
    """What a process and those that it started hold, in MB."""
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return sum(_resident(pid) for pid in (process, *map(int, listed)))


def _resident(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024
