#!/bin/sh
# Builds the programs of an image that come as Go modules: build.sh prometheus|alertmanager|prometheus-operator.
# Prints the folder that holds them, which is named by a hash of its inputs; with --where it only prints, and fails where there is none.
set -eu
[ "$1" = --where ] && where=yes && shift || where=
here=$(cd "$(dirname "$0")" && pwd)
hash=$(cat "$0" "$here/$1/go.mod" "$here/$1/go.sum" | sha256sum | cut -c 1-12)
bin=${XDG_CACHE_HOME:-$HOME/.cache}/mlops-template/$1-$hash
[ -z "$where" ] || [ -d "$bin" ] || exit 1
if [ ! -d "$bin" ]; then
    command -v go >/dev/null || { echo "$1: go was not found; install Go as new as $1/go.mod says" >&2; exit 1; }
    cd "$here/$1"
    new=$bin.new
    rm -rf "$new" && mkdir -p "$new"
    cp go.mod go.sum "$new"
    version=$(sed -n "s|.*github.com/[^/]*/$1 v\([0-9.]*\) .*|\1|p" go.mod)
    case $1 in
    prometheus) version=$(echo "$version" | sed 's/^0\.\([0-9]\)\([0-9]*\)\./\1.\2./') ;; # 3.15.0 is the module v0.315.0
    alertmanager) # embeds pages that are not in its module; an empty one will do, since nothing here looks at them
        go mod download github.com/prometheus/alertmanager # or it is nowhere yet
        cp -R "$(go list -f '{{.Dir}}' -m github.com/prometheus/alertmanager)" "$new/source"
        chmod -R u+w "$new/source"
        mkdir -p "$new/source/ui/app/dist" && touch "$new/source/ui/app/dist/index.html"
        go mod edit -replace "github.com/prometheus/alertmanager=$new/source" "$new/go.mod"
        ;;
    esac
    # Without the discovery of every cloud: a third of the time.
    CGO_ENABLED=0 nice go build -p 2 -trimpath -modfile "$new/go.mod" \
        -tags netgo,remove_all_sd,enable_kubernetes_sd,enable_static_sd,enable_file_sd \
        -ldflags "-s -w -X github.com/prometheus/common/version.Version=$version" -o "$new/" tool >&2
    rm -rf "$new/source" "$new/go.mod" "$new/go.sum"
    mv "$new" "$bin"
fi
echo "$bin"
