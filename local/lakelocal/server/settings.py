"""How much of the machine the server uses; the environment is the only place to override it.

| variable           | meaning                                | default                                              |
| ------------------ | -------------------------------------- | ---------------------------------------------------- |
| `LOCAL_MEMORY`     | heap of the JVM, as Java writes it     | a quarter of the machine's memory, 1g to 4g          |
| `LOCAL_CORES`      | tasks that Spark runs at the same time | the cores that this process may use                  |
| `LOCAL_JIT`        | `fast-start` or `full`                 | `fast-start`                                         |
| `LOCAL_SPARK_CONF` | further Spark settings, which win      | none; words `spark.NAME=VALUE`, quoted as in a shell |

`fast-start` is for data sizes that suit one machine: jobs that last for a minute, and tests. `full` is for a server
that computes over hundreds of thousands of rows. On 2 cores, each row measured side by side (s):

|                                         | `full` | `fast-start` |
| --------------------------------------- | -----: | -----------: |
| daily job of 3,000 orders, cold         |    125 |           71 |
| the same, nothing new                   |    9.5 |          6.3 |
| the same, one more day                  |     76 |           55 |
| main pipeline of 100,000 orders, cold   |     92 |          116 |
| daily job of 300,000 orders, cold       |    196 |          369 |
| 10,000 change events into 1,000,000     |    7.7 |         19.3 |
"""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from lakelocal.errors import UsageError

# There is no kind in between: the second compiler for nothing but the classes that process rows (by compiler
# directives) makes a cold daily job of 3,000 orders take 1.4 times as long as `fast-start`, since all other code then
# counts its calls for a compiler that it never gets; with 100,000 orders, it saves 6 % of the time of `full`.
# With only the first compiler, Java keeps 48 MB for compiled code: Spark fills them in minutes, and from then on code
# is discarded and compiled again without end.
JITS = {
    "full": ["-XX:+UseParallelGC"],
    "fast-start": ["-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=240m", "-XX:+UseSerialGC"],
}
# Spark writes Java code for each plan and each projection, and has it compiled twice, to bytecode and by Java, before a
# plan of a few thousand rows can begin. Interpreted, it begins at once: writing, cleaning, merging, grouping and
# joining 20,000 rows takes 9.2 s of CPU instead of 11.0 on a warm server; 300,000 rows take 18.8 instead of 15.3.
CODEGEN = {
    "full": {},
    "fast-start": {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"},
}


@dataclass(frozen=True)
class Settings:
    """Heap (in Java's notation), concurrent tasks, the kind of compilation, and further Spark settings."""

    memory: str
    cores: int
    jit: str
    spark_conf: Mapping[str, str] = field(default_factory=dict)

    @property
    def heap_megabytes(self) -> int:
        """The heap in MB."""
        return int(self.memory[:-1]) * (1024 if self.memory.endswith("g") else 1)

    @classmethod
    def read(cls, environment: dict[str, str] | None = None) -> "Settings":
        """The settings of this machine, overridden by *environment*."""
        environment = dict(os.environ) if environment is None else environment
        memory = environment.get("LOCAL_MEMORY") or f"{min(4, max(1, machine_memory() // 4 // 2**30))}g"
        cores = environment.get("LOCAL_CORES") or str(machine_cores())
        jit = environment.get("LOCAL_JIT") or "fast-start"
        _check("LOCAL_MEMORY", memory, re.fullmatch(r"[1-9]\d*[mg]", memory), "a size like 2g or 1500m")
        _check("LOCAL_CORES", cores, re.fullmatch(r"[1-9]\d*", cores), "a number of cores like 2")
        _check("LOCAL_JIT", jit, jit in JITS, " or ".join(JITS))
        return cls(memory, int(cores), jit, _spark_conf(environment.get("LOCAL_SPARK_CONF", "")))


def machine_memory() -> int:
    """The bytes that this process may use: the machine's memory, or the container's limit."""
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    return min(psutil.virtual_memory().total, int(text) if text.isdigit() else 2**62)


def machine_cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _spark_conf(text: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"LOCAL_SPARK_CONF: found `{text}`; expected that every quote is closed.") from error
    for word in words:
        _check("LOCAL_SPARK_CONF", word, re.fullmatch(r"spark\.[^=\s]+=.*", word, re.DOTALL), "spark.NAME=VALUE")
    return dict(word.split("=", 1) for word in words)


def _check(name: str, value: str, fits: object, expected: str) -> None:
    if not fits:
        raise UsageError(f"{name}: found `{value}`; expected {expected}. Correct it, or unset it for the default.")
