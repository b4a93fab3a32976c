#!/bin/sh
# cluster.sh up | down NAME
# A cluster on this machine, to try things in: kind, a registry and metrics-server, as pinned in cluster.env. What is there already stays.
set -eu
# shellcheck source-path=SCRIPTDIR source=cluster.env
. "$(dirname "$0")/cluster.env"
cluster=mlops port=5001
context=kind-$cluster registry=$cluster-registry
downloads=${ARTIFACTS_DIR:-$PWD/artifacts}/downloads

refuse() {
    printf 'refused: %s\n' "$1" >&2
    exit 1
}

need() { # PROGRAM ADDRESS: where its manual says how to install it
    command -v "$1" >/dev/null || refuse "$1 was not found: install it ($2)"
}

find_engine() { # sets $engine: kind's own variable, or what is there
    engine=${KIND_EXPERIMENTAL_PROVIDER:-docker}
    [ -n "${KIND_EXPERIMENTAL_PROVIDER-}" ] || command -v docker >/dev/null || engine=podman
    command -v "$engine" >/dev/null ||
        refuse "kind needs docker or podman, and neither was found: install one (https://docs.docker.com/get-docker, https://podman.io/docs/installation)"
    "$engine" info >/dev/null 2>&1 ||
        refuse "$engine does not answer: start it; \`$engine info\` says what is wrong"
    export KIND_EXPERIMENTAL_PROVIDER="$engine"
}

sha256() { # FILE
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

fetch() { # metrics-server's manifests, kept under their hash
    file=$downloads/$METRICS_SERVER_SHA256
    mkdir -p "$downloads"
    if [ ! -e "$file" ]; then
        curl --fail --silent --show-error --location --proto '=https' --output "$file.new" "$METRICS_SERVER" ||
            refuse "$METRICS_SERVER: check the network (HTTPS_PROXY), or lay the file into $downloads under its hash, which make/cluster.env names"
        mv "$file.new" "$file"
    fi
    found=$(sha256 "$file")
    if [ "$found" != "$METRICS_SERVER_SHA256" ]; then
        rm "$file"
        refuse "$METRICS_SERVER: has sha256 $found, and make/cluster.env demands $METRICS_SERVER_SHA256: do not use it"
    fi
}

make_cluster() {
    if kind get clusters 2>/dev/null | grep -qx "$cluster"; then
        printf 'the cluster %s is there already, and stays as it is\n' "$cluster"
    else
        # shellcheck disable=SC2046 # words on purpose: kind v0.33.0 go1.26.8 linux/amd64
        set -- $(kind version)
        [ "${2-}" = "$KIND" ] || printf 'note: kind is %s; the image of the node is made for %s\n' "${2-unknown}" "$KIND"
        kind create cluster --name "$cluster" --image "$NODE" --wait 180s ||
            refuse 'kind could not make the cluster: its own words are above'
    fi
    kind export kubeconfig --name "$cluster" --quiet
}

start_registry() { # of the nodes' network, so that they reach it by name
    if "$engine" container inspect "$registry" >/dev/null 2>&1; then
        "$engine" start "$registry" >/dev/null || refuse "the registry $registry did not start: is port $port free?"
    elif ! "$engine" run --detach --restart always --name "$registry" --network kind \
        --publish "127.0.0.1:$port:5000" "$REGISTRY" >/dev/null; then
        # There may be none yet; the refusal that follows is what counts.
        "$engine" rm --force "$registry" >/dev/null 2>&1 || true
        refuse "the registry $registry did not start: is port $port free?"
    fi
    # In a node localhost is the node itself.
    for node in $(kind get nodes --name "$cluster"); do
        # shellcheck disable=SC2016 # $1 is the node's shell's
        printf '[host."http://%s:5000"]\n' "$registry" | "$engine" exec --interactive "$node" \
            sh -c 'mkdir -p "$1" && cat >"$1/hosts.toml"' sh "/etc/containerd/certs.d/localhost:$port"
    done
}

metrics_server() { # FOLDER: writes there what to apply; the nodes' kubelets sign their certificates themselves
    cp "$downloads/$METRICS_SERVER_SHA256" "$1/components.yaml"
    cat >"$1/kustomization.yaml" <<END
resources: [components.yaml]
images:
  - {name: registry.k8s.io/metrics-server/metrics-server, digest: "$METRICS_SERVER_DIGEST"}
patches:
  - target: {kind: Deployment, name: metrics-server}
    patch: '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--kubelet-insecure-tls"}]'
END
}

install_metrics_server() {
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    metrics_server "$folder"
    kubectl --context "$context" apply --kustomize "$folder" >/dev/null
    printf 'waiting for metrics-server\n'
    kubectl --context "$context" wait --for condition=Available --timeout 180s apiservice/v1beta1.metrics.k8s.io >/dev/null ||
        refuse "metrics-server does not answer after three minutes: kubectl --context $context --namespace kube-system describe pod --selector k8s-app=metrics-server"
}

up() {
    need kind https://kind.sigs.k8s.io/docs/user/quick-start/#installation
    find_engine
    need kubectl https://kubernetes.io/docs/tasks/tools
    need curl https://curl.se/download.html
    fetch
    make_cluster
    start_registry
    install_metrics_server
    printf 'the cluster %s is ready: context %s, now the current one; its registry is localhost:%s\n' "$cluster" "$context" "$port"
    printf 'next: make image ENV=local PUSH=localhost:%s\n' "$port"
}

down() { # NAME, which must be the cluster's
    [ "${1-}" = "$cluster" ] ||
        refuse "this deletes the kind cluster $cluster with all environments, models and images in it: CONFIRM=$cluster; to delete one environment's namespace only, name it: ENV="
    need kind https://kind.sigs.k8s.io/docs/user/quick-start/#installation
    find_engine
    kind delete cluster --name "$cluster"
    if "$engine" container inspect "$registry" >/dev/null 2>&1; then
        "$engine" rm --force --volumes "$registry" >/dev/null || refuse "the registry $registry is still there: $engine rm --force $registry"
    fi
}

case ${1-} in
up | down) "$@" ;;
*)
    printf 'usage: cluster.sh up | down NAME\n' >&2
    exit 2
    ;;
esac
