#!/usr/bin/env bash
# Runs catalog, cart and gateway as processes of their own on the servers that up.sh
# started, until it is told to stop or one of them ends. FEIRA names the binary.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
feira=${FEIRA:-target/release/feira}
declare -A running=()

stop() {
    trap - EXIT INT TERM
    for service in "${!running[@]}"; do kill "${running[$service]}" 2>/dev/null || true; done
    wait
}
trap stop EXIT
trap 'exit 0' INT TERM

for service in catalog cart gateway; do
    "$feira" serve "$service" --config deploy/local/feira.toml --folder "data/deployed/$service" &
    running[$service]=$!
done
echo "processes: catalog ${running[catalog]}, cart ${running[cart]}, gateway ${running[gateway]}; Ctrl-C ends them"
ended=0
wait -n -p which "${running[@]}" || ended=$?
for service in "${!running[@]}"; do
    [ "${running[$service]}" = "$which" ] || continue
    echo "$service ended with $ended; the others are stopped" >&2
    unset "running[$service]"
done
exit "$ended"
