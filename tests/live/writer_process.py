"""A process that does nothing but store runs, until somebody kills it.

Arguments: database URL, file of the signing key, file for the acknowledgements, name of the round.
Every client stores one run after the other under keys that the round before may have used too.
"""

import os
import sys
import threading
from pathlib import Path

from db.engine import open_engine
from db.errors import DatabaseUnavailable
from db.writer import GroupWriter
from service.signing import Signer
from tests.support.rows import new_run

CLIENTS = 32
SECONDS = 60


def main(url: str, key: str, acknowledgements: str, name: str) -> None:
    writer = GroupWriter(open_engine(url), Signer(Path(key).read_bytes()).sign)
    writer.start()
    log = os.open(acknowledgements, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def client(number: int) -> None:
        for i in range(1_000_000):
            key = f"{int(name) // 2}-{number}-{i}"
            run = new_run(
                id=f"{name}-{number}-{i}", idempotency_key=key, request_sha256="a" * 64, request_id=f"{name}-{number}"
            )
            try:
                receipt = writer.submit(run).result(SECONDS)
            except DatabaseUnavailable:
                continue
            os.write(log, f"{key} {receipt.existing_id or run.id} {receipt.leaf_index}\n".encode())

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
