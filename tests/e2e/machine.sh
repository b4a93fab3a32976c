#!/usr/bin/env bash
# What the cluster tests need beyond Kubernetes, on this machine: machine.sh HOOK [ARGUMENTS], or machine.sh has HOOK.
# These are for ../shared/cluster; README.md says what each must do and print, and how kind does it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cluster=$(dirname "$(dirname "$(dirname "$here")")")/shared/cluster
hooks=(builder kill_container load restart_api_server stand_in)

shared() { bash -c 'source "$0" && "$@"' "$cluster/image" "$@"; } # FUNCTION ARGUMENTS: one of the cluster's own

builder() {
    shared base trixie 3.13 >&2
    local build=$here/../../build/machine cache=${XDG_CACHE_HOME:-$HOME/.cache}/test-cluster/buildah
    mkdir -p "$build"
    build=$(cd "$build" && pwd)
    printf '[global]\ncert = /run/secrets/ca\n' >"$build/pip.conf"
    echo "CONTAINER=buildah --root $cache --runroot $cache/run --storage-driver overlay"
    # Steps run in a chroot, on the machine's network; pip trusts the authorities that the machine trusts.
    echo "BUILD_OPTIONS=--isolation chroot --network host --pull-never --ulimit nofile=1024:1024" \
        "--secret id=pip,src=$build/pip.conf --secret id=ca,src=/etc/ssl/certs/ca-certificates.crt"
    echo "LOAD=$here/machine.sh load"
}

load() { # ARCHIVE, of the image that $IMAGE names
    "$cluster/image" load "$IMAGE" "$1"
}

stand_in() { # NAME:TAG FOLDER [OPTIONS OF BUILD]
    "$cluster/image" build "$@" | tail -n 1
}

restart_api_server() { # the node starts it again
    local before
    before=$(pgrep -x kube-apiserver)
    kill -KILL "$before"
    timeout 120 bash -c 'until [[ $(pgrep -x kube-apiserver) != "$0" ]] && kubectl get --raw /readyz &>/dev/null; do sleep 0.2; done' "$before"
}

kill_container() { # NAMESPACE POD CONTAINER
    local id
    id=$(kubectl get pod --namespace "$1" "$2" \
        --output "jsonpath={.status.containerStatuses[?(@.name=='$3')].containerID}")
    [[ -n $id ]] || { echo "pod $2 in $1 has no running container $3" >&2; exit 1; }
    shared ctr tasks kill --signal SIGKILL "${id#containerd://}"
}

if [[ ${1-} == has ]]; then
    [[ -d $cluster && " ${hooks[*]} " == *" ${2-} "* ]]
elif [[ " ${hooks[*]} " == *" ${1-} "* ]]; then
    "$@"
else
    echo "usage: machine.sh [has] ${hooks[*]}" >&2
    exit 2
fi
