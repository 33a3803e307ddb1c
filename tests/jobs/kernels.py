"""Finding the kernel of a task, to kill it."""

import psutil


def kernel_of(runner: psutil.Process, task: str) -> psutil.Process | None:
    """The kernel of *task*, None before it exists: the child of the attempt, which also has the task's log open."""
    there = [p for p in runner.children(recursive=True) if any(f.path.endswith(f"/{task}.log") for f in p.open_files())]
    return next((p for p in there if p.ppid() in {other.pid for other in there}), None)
