"""Start a command inside the image: put the baked caches where they can be written, then become the command.

The root file system is read-only, and Numba refuses a cache folder that it cannot write to. On a processor
other than the one that built the image it also has to compile once more.
"""

import os
import shutil
import sys
from pathlib import Path

BAKED = Path(__file__).resolve().parent / "cache"


def main() -> None:
    """Copy the caches on the first start and run the given command in this process."""
    for name in ("NUMBA_CACHE_DIR", "MPLCONFIGDIR"):
        target = Path(os.environ[name])
        if not target.exists():
            shutil.copytree(BAKED / target.name, target, copy_function=shutil.copyfile)
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
