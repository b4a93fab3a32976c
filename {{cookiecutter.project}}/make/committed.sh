#!/bin/sh
# committed.sh: an update is a change to review. It needs a repository of the project's own, without open changes.
set -eu
start='git init && git add --all && git commit --message "Start", then make update'

refuse() {
    printf 'refused: %s\n' "$1" >&2
    exit 1
}

command -v git >/dev/null || refuse 'git was not found: install it (Debian and Ubuntu: sudo apt-get install git)'
top=$(git rev-parse --show-toplevel 2>/dev/null) ||
    refuse "this folder is no Git repository, so an update could not be reviewed or undone: $start"
[ "$top" = "$(pwd -P)" ] || refuse "make update works in the top folder of a repository, and that is $top"
git rev-parse --quiet --verify HEAD >/dev/null || refuse "this repository has no commit: ${start#git init && }"
changes=$(git status --porcelain | awk '
    NR <= 3 { names = names (NR > 1 ? ", " : "") substr($0, 4) }
    END { if (NR) print NR " open change" (NR > 1 ? "s" : "") " (" names (NR > 3 ? ", …" : "") ")" }')
[ -z "$changes" ] || refuse "$changes: commit or stash them first, then make update"
