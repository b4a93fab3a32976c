#!/bin/sh
# go.sh FOLDER MODULES: build the programs, and take the files, that MODULES (requirements/go.txt) lists. Does nothing when they are there.
set -eu
folder=$1 modules=$2
# A copy of the list of what is there; it comes last.
stamp=$folder/go.txt

if cmp -s "$modules" "$stamp"; then exit 0; fi
command -v go >/dev/null 2>&1 || {
    printf 'refused: go was not found: install Go 1.26 or later, https://go.dev/dl\n' >&2
    exit 1
}
printf 'Building what %s lists, a few minutes. Only this once.\n' "$modules" >&2
rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
grep -v '^#' "$modules" | while read -r module version what; do
    case $what in
    *.yaml)
        go mod download "$module@$version"
        cp "$(go env GOMODCACHE)/$module@$version/$what" "$folder/"
        ;;
    *) GOBIN=$folder go install "$module@$version" ;;
    esac
done
chmod -R u+w "$folder"
cp "$modules" "$folder/go.txt"
