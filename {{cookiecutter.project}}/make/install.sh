#!/bin/sh
# install.sh ENVIRONMENT REQUIREMENTS PYTHON
# Makes the virtual environment hold exactly the pinned packages of the file. Does nothing when it already does.
# pip's own settings (index, proxy, certificates) apply. Of two at once, one installs and the other waits.
set -eu
environment=$1 requirements=$2 python=$3
# A copy of the requirements that are installed; empty as long as that is under way.
stamp=$environment/installed.txt

refuse() {
    printf 'refused: %s\n' "$1" >&2
    exit 1
}

progress() { # PACKAGES: reads what pip says of each package, and tells how far it is
    number=0
    while read -r word _; do
        case $word in
        Collecting | Processing)
            number=$((number + 1))
            [ $((number % 20)) -ne 0 ] || printf '  %s of %s packages\n' "$number" "$1"
            ;;
        Installing) printf '  all are there, installing them\n' ;;
        esac
    done
}

if cmp -s "$requirements" "$stamp"; then exit 0; fi

command -v "$python" >/dev/null 2>&1 ||
    refuse "$python was not found: install Python 3.11, 3.12 or 3.13, or name it: make PYTHON=/path/to/python3"
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' ||
    refuse "$("$python" --version) cannot be used: install Python 3.11, 3.12 or 3.13 and name it: make PYTHON=python3.13"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    refuse "$python cannot make virtual environments; on Debian and Ubuntu: sudo apt-get install --yes python3-venv"
parent=$(dirname "$environment")
mkdir -p "$parent"
if [ -z "${INSTALL_HOLDS_LOCK-}" ]; then
    # A lock of the system on the folder: it goes with the process, however that ends. flock(1) is not on macOS.
    INSTALL_HOLDS_LOCK=1 exec "$python" -c 'import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDONLY)
fcntl.flock(descriptor, fcntl.LOCK_EX)
os.set_inheritable(descriptor, True)
os.execvp("sh", ["sh", *sys.argv[2:]])' "$parent" "$0" "$@"
fi
if [ ! -e "$stamp" ] && [ -d "$environment" ] && [ -n "$(ls -A "$environment")" ]; then
    refuse "$environment holds files that were not installed from here: remove it, or give the environment a folder of its own (make VENV=...)"
fi

# The first line of the file: "# downloads N MB, needs N MB, N minutes".
sizes=$(sed -n '1s/^# downloads \([0-9]*\) MB, needs \([0-9]*\) MB, \([0-9]*\) minutes.*/\1 \2 \3/p' "$requirements")
# shellcheck disable=SC2086 # three words on purpose
set -- $sizes
download=${1:?$requirements says no sizes on its first line} disk=${2} minutes=${3}
free=$(($(df -Pk "$parent" | awk 'NR == 2 {print $4}') / 1024))
[ "$free" -ge "$disk" ] ||
    refuse "$environment needs $disk MB of disk and $free MB are free: make room, or put it elsewhere (make VENV=...)"

packages=$(grep -c '==' "$requirements") || true # none is an answer, which grep calls a failure
printf 'Setting up %s: %s packages, about %s MB to download, %s MB on disk, about %s min on a 100 Mbit/s line. Only this once.\n' \
    "$environment" "$packages" "$download" "$disk" "$minutes" >&2
rm -rf "$environment"
mkdir "$environment"
: >"$stamp"
"$python" -m venv "$environment"
log=$environment/install.log
{
    "$environment/bin/python" -m pip install --disable-pip-version-check --progress-bar off --require-hashes \
        -r "$requirements" 2>"$log" && cp "$requirements" "$stamp"
} | progress "$packages" >&2
if cmp -s "$requirements" "$stamp"; then exit 0; fi
cat "$log" >&2
grep -q 'NewConnectionError\|NameResolutionError\|ProxyError\|ConnectTimeoutError\|Temporary failure in name resolution\|ReadTimeoutError' "$log" &&
    refuse "pip reached no package index: check the network, or set pip's proxy or index (HTTPS_PROXY, PIP_INDEX_URL) and try again"
grep -q 'No space left on device' "$log" && refuse "the disk is full: make $disk MB of room and try again"
refuse "pip could not install $requirements: its last words are above and in $log"
