#!/bin/sh
# npm.sh FOLDER SOURCE: install what SOURCE/package-lock.json pins, by its hashes and without running its scripts. Does nothing when it is there.
set -eu
folder=$1 source=$2
# A copy of the list of what is there; it comes last.
stamp=$folder/installed.json

if cmp -s "$source/package-lock.json" "$stamp"; then exit 0; fi
command -v npm >/dev/null 2>&1 || {
    printf 'refused: npm was not found: install Node.js 20 or later, https://nodejs.org\n' >&2
    exit 1
}
printf 'Installing what %s lists, a minute. Only this once.\n' "$source/package.json" >&2
rm -rf "$folder"
mkdir -p "$folder"
cp "$source/package.json" "$source/package-lock.json" "$folder/"
(cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --silent)
cp "$source/package-lock.json" "$stamp"
