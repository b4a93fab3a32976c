#!/bin/sh
# doctor.sh ENVIRONMENT PYTHON PACKAGE [NAME [CONTEXT]]: NAME is an environment in a cluster, CONTEXT one of kubeconfig
# Lets the environment's Python look at this machine; as long as there is none, the system's, which sees less.
set -eu
environment=$1 python=$2 package=$3
shift 3
remedy='install Python 3.11, 3.12 or 3.13, or name it: make doctor PYTHON=/path/to/python3'
if [ -x "$environment/bin/python" ]; then python=$environment/bin/python; fi
if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 7))' >/dev/null 2>&1; then
    exec "$python" -m "$package.doctor" "$environment" "$@"
fi

# What the doctor is written in is missing, or too old to read it.
version=$("$python" --version 2>&1) || version="$python was not found"
printf ' bad Python: %s → %s\n' "$version" "$remedy"
command -v git >/dev/null || printf ' bad git: not found → install it (Debian and Ubuntu: sudo apt-get install git)\n'
printf 'refused: without a Python that is newer nothing else can be looked at\n' >&2
exit 1
