#!/usr/bin/env bash
# Makes the secrets that docker-compose.yml reads, in ./secrets; keeps what is there.
# The folder is for its owner only. The files in it are readable, because each container reads its own as another user.
set -euo pipefail

mkdir -p -m 0700 secrets
umask 0333

make() {
  local file="secrets/$1"
  shift
  [ -e "$file" ] || { "$@" >"$file.new" && mv "$file.new" "$file"; }
}

database_url() { printf 'postgresql+psycopg://abscope:%s@database:5432/abscope' "$(cat secrets/postgres_password)"; }

make postgres_password openssl rand -hex 32
make database_url database_url
make key_pepper openssl rand -hex 32
make signing_key openssl genpkey -algorithm ed25519
