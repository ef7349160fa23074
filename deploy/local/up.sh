#!/usr/bin/env bash
# Starts Apache Kafka and Apache Cassandra on this machine, without containers, and returns once both are ready.
#
#   up.sh [--kafka | --cassandra] [--fresh]
#
# With neither name, both. What runs already is left alone. --fresh throws the server's data away first.
# Settings are named in stack.sh; `down.sh` stops what this started.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/stack.sh"

servers=()
fresh=
for argument in "$@"; do
    case $argument in
        --kafka) servers+=(kafka) ;;
        --cassandra) servers+=(cassandra) ;;
        --fresh) fresh=yes ;;
        *) fail "usage: up.sh [--kafka | --cassandra] [--fresh]" ;;
    esac
done
[ ${#servers[@]} -gt 0 ] || servers=(kafka cassandra)

start_kafka() {
    local home="$stack/kafka" log4j="-Dlog4j2.configurationFile=$here/kafka/log4j2.properties"
    mkdir -p "$home/data" "$home/logs"
    sed -e "s#@DATA@#$home/data#" -e "s#:19092#:$(port_of kafka)#g" -e "s#:19093#:$((19093 + above))#g" \
        "$here/kafka/server.properties" >"$home/server.properties"
    if [ ! -f "$home/data/meta.properties" ]; then
        # Every fresh cluster has a name of its own, by which what is kept beside a log knows that it belongs to another.
        local cluster
        cluster=$(head -c 16 /dev/urandom | base64 | tr '+/' 'xy' | cut -c 1-22)
        if ! "$java" -Xmx128m -XX:TieredStopAtLevel=1 "-Dkafka.logs.dir=$home/logs" "$log4j" -cp "$jars/kafka/lib/*" \
            kafka.tools.StorageTool format -t "$cluster" -c "$home/server.properties" >"$home/output.log" 2>&1; then
            tail -n 20 "$home/output.log" >&2
            fail "the data folder of kafka could not be made"
        fi
    fi
    [ -f "$(log_of kafka)" ] && mv "$(log_of kafka)" "$(log_of kafka).before"
    local heap=${FEIRA_KAFKA_HEAP:-512m}
    in_background kafka "-Xms$heap" "-Xmx$heap" -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true \
        "-Dkafka.logs.dir=$home/logs" "$log4j" -cp "$jars/kafka/lib/*" kafka.Kafka "$home/server.properties"
}

start_cassandra() {
    local home="$stack/cassandra"
    mkdir -p "$home/data" "$home/logs" "$home/conf"
    sed -e "s#@DATA@#$home/data#" -e "s#17000#$((17000 + above))#g" -e "s#19042#$(port_of cassandra)#g" \
        "$here/cassandra/cassandra.yaml" >"$home/conf/cassandra.yaml"
    [ -f "$(log_of cassandra)" ] && mv "$(log_of cassandra)" "$(log_of cassandra).before"
    local heap=${FEIRA_CASSANDRA_HEAP:-512m} jamm
    jamm=$(echo "$jars"/cassandra/lib/jamm-*.jar)
    in_background cassandra "-Xms$heap" "-Xmx$heap" -XX:MaxDirectMemorySize=256m -XX:+UseSerialGC \
        "@$here/cassandra/jvm.options" "-Dcassandra.jmx.local.port=$((17199 + above))" \
        "-javaagent:$jamm" "-Dcassandra.config=file://$home/conf/cassandra.yaml" "-Dcassandra.storagedir=$home/data" \
        "-Dcassandra.logdir=$home/logs" "-Dlogback.configurationFile=$here/cassandra/logback.xml" \
        -cp "$home/conf:$jars/cassandra/lib/*" org.apache.cassandra.service.CassandraDaemon
}

one_at_a_time
need_java_and_maven
started=()
for server in "${servers[@]}"; do
    mkdir -p "$stack/$server"
    if pid=$(pid_of "$server"); then
        if [ -z "$fresh" ]; then
            # It may be a server whose start was interrupted: it is awaited like the others.
            started+=("$server")
            continue
        fi
        stop "$server" KILL
    fi
    if answers "$server"; then
        [ -z "$fresh" ] || fail "127.0.0.1:$(port_of "$server") is served by a process that was not started from $stack: its data cannot be thrown away from here"
        say "$server: something that was not started from $stack answers on 127.0.0.1:$(port_of "$server"); using it"
        continue
    fi
    [ -z "$fresh" ] || rm -rf "$stack/$server/data"
    fetch_jars "$server"
    "start_$server"
    started+=("$server")
done
for server in ${started[@]+"${started[@]}"}; do
    case $server in
        kafka) await_ready kafka 'Kafka Server started' ;;
        cassandra) await_ready cassandra 'Starting listening for CQL clients' ;;
    esac
done
