#!/bin/sh
# pin.sh UV: write requirements/*.txt from the dependency groups of pyproject.toml; UPGRADE=1 takes the newest that they allow.
# The first line of a file, its sizes, is kept: install.sh prints it before it downloads.
set -eu
uv=$1

pin() { # GROUP [uv's options]
    group=$1 file=requirements/$1.txt
    shift
    sizes=$(sed -n '1{/^# downloads/p;}' "$file" 2>/dev/null || true)
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --group "pyproject.toml:$group" --output-file "$file" "$@"
    { [ -z "$sizes" ] || printf '%s\n' "$sizes"; cat "$file"; } >"$file.new"
    mv "$file.new" "$file"
}

pin dev ${UPGRADE:+--upgrade}
for group in serving training; do pin "$group" --constraint requirements/dev.txt; done
pin tasks --no-deps --constraint requirements/dev.txt
pin ui ${UPGRADE:+--upgrade}
pin update ${UPGRADE:+--upgrade}
