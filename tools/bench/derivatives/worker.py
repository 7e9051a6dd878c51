"""Does the jobs it is asked for, one line each, and says what each cost its process: see ask.py for the protocol."""

import json
import resource
import sys
import time
from pathlib import Path

from profile_media.domain.model import ContentType
from tools.bench.derivatives.contenders import CONTENDERS, Contender
from tools.bench.derivatives.jobs import JOBS


def main() -> None:
    contenders: dict[str, Contender] = {}
    files: dict[str, bytes] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["contender"] not in contenders:
            contenders[asked["contender"]] = CONTENDERS[asked["contender"]]()
        if asked["path"] not in files:
            files[asked["path"]] = Path(asked["path"]).read_bytes()
        make, content = contenders[asked["contender"]], files[asked["path"]]
        job = JOBS[asked["job"]["name"]]
        side = asked["job"]["master"] or 0
        if asked["contender"] == "the floor":
            make(content, ContentType(asked["content_type"]), job, side)  # so that what it prepares is not counted
        began, before = time.perf_counter(), _cpu()
        made = make(content, ContentType(asked["content_type"]), job, side)
        used, wall = _cpu() - before, time.perf_counter() - began
        if asked["out"]:
            for name, file in zip(job.names, made, strict=True):
                (Path(asked["out"]) / name).write_bytes(file)
        answer = {"cpu": used * 1000, "wall": wall * 1000, "peak": _peak(), "bytes": [len(file) for file in made]}
        print(json.dumps(answer), flush=True)


def _cpu() -> float:
    """Seconds of this process and of the children it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak() -> int:
    """KiB that this process held at most; getrusage would count what its parent held when it forked."""
    lines = Path("/proc/self/status").read_text().splitlines()
    [peak] = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak)


if __name__ == "__main__":
    main()
