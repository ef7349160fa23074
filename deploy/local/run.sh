#!/usr/bin/env bash
# Runs every service and the gateway as processes of their own on the servers that up.sh
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

# Whatever the settings give a place to listen; the gateway stands last in them.
services=$(sed -n -e '/^\[[a-z]*\]$/{s/[][]//g;h}' -e '/^listen = /{x;p}' deploy/local/feira.toml)
for service in $services; do
    "$feira" serve "$service" --config deploy/local/feira.toml --folder "data/deployed/$service" &
    running[$service]=$!
done
echo "processes: $(for service in $services; do echo -n "$service ${running[$service]} "; done)- Ctrl-C ends them"
ended=0
wait -n -p which "${running[@]}" || ended=$?
for service in "${!running[@]}"; do
    [ "${running[$service]}" = "$which" ] || continue
    echo "$service ended with $ended; the others are stopped" >&2
    unset "running[$service]"
done
exit "$ended"
