# What up.sh and down.sh share: where the servers live, and how one is known, started, awaited and stopped.
#
# FEIRA_STACK            where jars, data, logs and pid files are kept (default: .stack beside this file)
# FEIRA_JARS             where the jars are kept, if not there: servers on several stacks can share them
# FEIRA_PORTS_ABOVE      how far above the usual ports to listen, for servers beside those that run already (default 0)
# FEIRA_KAFKA_HEAP       heap of Kafka (default 512m)
# FEIRA_CASSANDRA_HEAP   heap of Cassandra (default 512m)
# JAVA_HOME              the Java to use, version 17 (default: the one on the path)

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
stack=${FEIRA_STACK:-$here/.stack}
mkdir -p "$stack"
stack=$(cd "$stack" && pwd)
jars=${FEIRA_JARS:-$stack}
above=${FEIRA_PORTS_ABOVE:-0}
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

say() { echo "$*"; }
fail() {
    echo "$*" >&2
    exit 1
}

port_of() { case $1 in kafka) echo $((19092 + above)) ;; cassandra) echo $((19042 + above)) ;; esac; }
log_of() { case $1 in kafka) echo "$stack/kafka/logs/server.log" ;; cassandra) echo "$stack/cassandra/logs/system.log" ;; esac; }

# One caller at a time, so that two never start the same server. The lock goes with the caller, not with the servers.
one_at_a_time() {
    command -v flock >/dev/null || return 0
    exec 9>"$stack/lock"
    flock -w 300 9 || fail "another up.sh or down.sh has been at work on $stack for five minutes; wait for it or end it"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$(port_of "$1")") 2>/dev/null; }

# The process of a server that was started here, if it lives. The command line is looked at too: a pid may be reused.
pid_of() {
    local pid
    pid=$(cat "$stack/$1/pid" 2>/dev/null) || return 1
    # Asked for without a pipe: grep -q leaves early, and with pipefail the writer's fate would count.
    [[ $(ps -ww -o command= -p "$pid" 2>/dev/null) == *"-Dfeira.stack=$stack/$1 "* ]] || return 1
    echo "$pid"
}

# Installs what is missing where that can be done without asking; else names the command.
need_java_and_maven() {
    local missing=()
    command -v "$java" >/dev/null || missing+=(openjdk-17-jre-headless)
    command -v mvn >/dev/null || jars_are_there || missing+=(maven)
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing ${missing[*]}"
        if (apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}") >"$stack/apt.log" 2>&1; then
            return 0
        fi
        tail -n 20 "$stack/apt.log" >&2
    fi
    fail "missing: ${missing[*]}. Install with:  sudo apt-get install -y ${missing[*]}   (elsewhere: any Java 17 and Apache Maven on the path)"
}

jars_are_there() { [ -f "$jars/kafka/lib/.complete" ] && [ -f "$jars/cassandra/lib/.complete" ]; }

# The server's own jars, as its pom names them; fetched once and again when the pom changes.
fetch_jars() {
    local server=$1 lib="$jars/$1/lib"
    cmp -s "$here/$server/pom.xml" "$lib/.complete" && return 0
    say "fetching $server"
    rm -rf "$lib"
    mkdir -p "$lib"
    if ! mvn -B -q -f "$here/$server/pom.xml" dependency:copy-dependencies -DoutputDirectory="$lib" -DincludeScope=runtime >"$stack/$server/maven.log" 2>&1; then
        tail -n 20 "$stack/$server/maven.log" >&2
        fail "the jars of $server could not be fetched: is the Maven repository reachable? Run the same command again"
    fi
    cp "$here/$server/pom.xml" "$lib/.complete"
}

# Runs a server on its own, free of this shell's signals, files and lock.
in_background() {
    local server=$1 apart=()
    shift
    command -v setsid >/dev/null && apart=(setsid)
    ${apart[@]+"${apart[@]}"} nohup "$java" "-Dfeira.stack=$stack/$server" "$@" >"$stack/$server/output.log" 2>&1 </dev/null 9>&- &
    echo $! >"$stack/$server/pid"
}

tail_of() {
    echo "--- the end of $(log_of "$1")" >&2
    tail -n 25 "$(log_of "$1")" "$stack/$1/output.log" >&2 2>/dev/null || true
}

# Waits until the server says in its log that it is ready.
await_ready() {
    local server=$1 words=$2 began=$SECONDS
    # A server that was ready once has perhaps rolled its log since.
    until [ "$(cat "$stack/$server/ready" 2>/dev/null)" = "$(cat "$stack/$server/pid")" ] || grep -q "$words" "$(log_of "$server")" 2>/dev/null && answers "$server"; do
        if ! pid_of "$server" >/dev/null; then
            tail_of "$server"
            fail "$server ended while starting"
        fi
        if [ $((SECONDS - began)) -ge 180 ]; then
            tail_of "$server"
            fail "$server was not ready after 180 seconds"
        fi
        sleep 0.1
    done
    cp "$stack/$server/pid" "$stack/$server/ready"
    say "$server is ready on 127.0.0.1:$(port_of "$server") (process $(pid_of "$server"))"
}

stop() {
    local server=$1 signal=$2 pid began=$SECONDS
    if ! pid=$(pid_of "$server"); then
        rm -f "$stack/$server/pid"
        return 0
    fi
    kill "-$signal" "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        if [ $((SECONDS - began)) -ge 30 ]; then
            kill -KILL "$pid" 2>/dev/null || true
        fi
        sleep 0.1
    done
    rm -f "$stack/$server/pid"
    say "$server stopped"
}
