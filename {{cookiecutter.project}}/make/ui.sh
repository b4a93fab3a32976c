#!/bin/sh
# ui.sh PROGRAMS PORT: MLflow's server over the registry of this machine, reachable from this machine only.
set -eu
programs=$1 port=$2
if ! "$programs/python" -c 'import socket, sys; socket.socket().bind(("127.0.0.1", int(sys.argv[1])))' "$port" 2>/dev/null; then
    printf 'refused: port %s is taken: name another, make ui PORT=5001\n' "$port" >&2
    exit 1
fi
artifacts=${ARTIFACTS_DIR:-$PWD/artifacts}
mkdir -p "$artifacts"
exec "$programs/mlflow" server --host 127.0.0.1 --port "$port" --workers 1 \
    --backend-store-uri "${MLFLOW_TRACKING_URI:-sqlite:///$artifacts/mlflow.db}" --artifacts-destination "$artifacts/mlflow"
