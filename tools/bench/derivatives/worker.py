"""Do jobs for the benchmark, one per line of standard input. ask.py describes the protocol."""

import json
import resource
import sys
import time
from pathlib import Path

from profile_media.domain.formats import ContentType
from tools.bench.derivatives.contenders import CONTENDERS, JOBS


def main() -> None:
    contender = CONTENDERS[sys.argv[1]]()
    files: dict[str, bytes] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        content = files.setdefault(asked["path"], Path(asked["path"]).read_bytes())
        job = JOBS[asked["job"]]
        start, before = time.perf_counter(), _cpu()
        made = contender(content, ContentType(asked["content_type"]), job, asked["master_side"])
        used, wall = _cpu() - before, time.perf_counter() - start
        if asked["out"]:
            for name, file in zip(job.names, made, strict=True):
                (Path(asked["out"]) / name).write_bytes(file)
        print(json.dumps({"cpu": used * 1000, "wall": wall * 1000, "bytes": [len(file) for file in made]}), flush=True)


def _cpu() -> float:
    """Return the seconds of CPU time of this process and its children."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
