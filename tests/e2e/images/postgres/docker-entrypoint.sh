#!/bin/bash
# The part of the real image's entrypoint that k8s/platform uses: a first start makes the database and runs /docker-entrypoint-initdb.d.
set -euo pipefail
[ "${1:0:1}" != - ] || set -- postgres "$@"

if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    export PGUSER=${POSTGRES_USER:-postgres} PGDATABASE=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
    password=${POSTGRES_PASSWORD:-$(cat "${POSTGRES_PASSWORD_FILE:?POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE must be set}")}
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    initdb --username "$PGUSER" --pwfile <(echo "$password") --auth-local trust --auth-host scram-sha-256
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    # Reached by its socket only, so that nobody takes it for the real one.
    pg_ctl --wait --options "-c listen_addresses=''" start
    [ "$PGDATABASE" = postgres ] || createdb --maintenance-db postgres "$PGDATABASE"
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
        *.sh) . "$file" ;;
        *.sql) psql --set ON_ERROR_STOP=1 --file "$file" ;;
        esac
    done
    pg_ctl --wait --mode fast stop
fi
exec "$@"
