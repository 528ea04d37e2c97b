#!/usr/bin/env bash
# Pins every dependency with hashes, for Linux and macOS, Python 3.11 to 3.13; one version for all of them.
# Pinned versions stay where they still fit; `scripts/lock.sh --upgrade` moves all to the newest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../requirements"

lock() {
  uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-annotate --no-header "$@"
}

lock runtime.in -o runtime.txt "$@"
lock build.in -o build.txt "$@"
lock dev.in -c runtime.txt -c build.txt -o dev.txt "$@"
