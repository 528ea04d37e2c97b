"""A number that changes with the engine's own source.

Numba's cache looks at the file of the cached function only. Kernels carry this number as the default of an
argument, which is part of the cache key, so a change of the engine compiles them anew.
"""

import zlib
from pathlib import Path

ENGINE_SOURCE: int = zlib.crc32(
    b"".join((Path(__file__).parent / name).read_bytes() for name in ("lanes.py", "tsit5.py", "lockstep.py"))
)
