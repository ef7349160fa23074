#!/usr/bin/env bash
# Stops what up.sh started, and nothing else. Data stay.
#
#   down.sh [--kafka | --cassandra] [--kill]
#
# With neither name, both. --kill ends them at once, as a crash would.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/stack.sh"

servers=()
signal=TERM
for argument in "$@"; do
    case $argument in
        --kafka) servers+=(kafka) ;;
        --cassandra) servers+=(cassandra) ;;
        --kill) signal=KILL ;;
        *) fail "usage: down.sh [--kafka | --cassandra] [--kill]" ;;
    esac
done
[ ${#servers[@]} -gt 0 ] || servers=(kafka cassandra)

one_at_a_time
for server in "${servers[@]}"; do
    stop "$server" "$signal"
done
