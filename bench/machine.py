"""What the machine says: its processor, who else is busy on it, and what a process tree used. Linux only (/proc)."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
SPIN = 400_000
BUSY_SHARE = 0.10
LOAD_PER_CORE = 0.5
SPIN_SPREAD = 1.30
PATIENCE_SECONDS = 120


class Loaded(Exception):
    """A machine on which nothing fair can be measured now."""


def description() -> str:
    """Processor and cores: all that the page says of the machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor"
    )
    return f"{model}, {os.cpu_count()} cores"


def refusal(load: float, cores: int, busy: float, spins: Sequence[float]) -> str | None:
    """Why nothing may be measured now: load average, share of busy CPU while we idle, one spin's slowest ÷ fastest."""
    if load > LOAD_PER_CORE * cores:
        return f"load average {load:.2f} on {cores} cores (limit {LOAD_PER_CORE * cores:.2f})"
    if busy > BUSY_SHARE:
        return f"other processes use {busy:.0%} of the CPU (limit {BUSY_SHARE:.0%})"
    if max(spins) > SPIN_SPREAD * min(spins):
        return f"the same loop took {max(spins) / min(spins):.2f} times its best (limit {SPIN_SPREAD:.2f})"
    return None


def quiet(load: float | None = None) -> str | None:
    """The refusal of this moment; later repetitions pass a load of 0, since the load average is then our own."""
    spins = [spin() for _ in range(5)]
    return refusal(os.getloadavg()[0] if load is None else load, os.cpu_count() or 1, busy_share(0.5), spins)


def settle() -> None:
    """Wait until the others are quiet; raise Loaded when they are not for too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (reason := quiet(load=0)) is not None:
        if time.monotonic() > deadline:
            raise Loaded(reason)
        time.sleep(2)


def spin() -> float:
    """Seconds of wall clock for a fixed amount of work."""
    start = time.perf_counter()
    for _ in range(SPIN):
        pass
    return time.perf_counter() - start


def busy_share(seconds: float) -> float:
    """The share of all cores' time that was used or stolen while we slept."""
    busy, total = _times()
    time.sleep(seconds)
    busy_after, total_after = _times()
    return (busy_after - busy) / max(total_after - total, 1)


def _times() -> tuple[int, int]:
    user, nice, system, idle, wait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    busy = user + nice + system + irq + softirq + steal
    return busy, busy + idle + wait


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(_stat(entry)[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process tree, ended children included."""
    fields = (_stat(Path(f"/proc/{member}/stat")) for member in tree(pid))
    return sum(sum(map(int, field[11:15])) for field in fields) / TICKS


def pss_megabytes(pid: int) -> float:
    """Proportional set size of a process tree in 10⁶ bytes."""
    rollups = (Path(f"/proc/{member}/smaps_rollup").read_text().splitlines() for member in tree(pid))
    return sum(int(line.split()[1]) for lines in rollups for line in lines if line.startswith("Pss:")) * 1024 / 1e6


def _stat(path: Path) -> list[str]:
    """The fields after the command's name, which may hold spaces."""
    return path.read_text().rpartition(")")[2].split()
