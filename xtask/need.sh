#!/usr/bin/env bash
# Sees to it that the commands a task needs are there: installs what is missing where that can be done without asking,
# else names the exact command and fails.
#
#   need.sh build   Rust and a C compiler: all that `make run` needs
#   need.sh test    also what the servers and the looks from outside need: Java 17, Maven, Node 18, Python 3.9
set -euo pipefail

task=${1:-build}
packages=()

# A command, or a test of it, and the Debian packages that bring it.
need() {
    local test=$1
    shift
    eval "$test" >/dev/null 2>&1 || packages+=("$@")
}

if ! command -v cargo >/dev/null; then
    echo "missing: Rust. Install with:  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" >&2
    exit 1
fi
need 'command -v cc && command -v make' build-essential
if [ "$task" = test ]; then
    need 'command -v git' git
    need 'command -v java || test -n "${JAVA_HOME:-}"' openjdk-17-jre-headless
    need 'command -v mvn' maven
    need 'command -v node && command -v npm' nodejs npm
    need 'python3 -c "import venv, ensurepip"' python3 python3-venv
fi
[ ${#packages[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q && apt-get install -y -q --no-install-recommends "${packages[@]}"
else
    echo "missing: ${packages[*]}. Install with:  sudo apt-get install -y ${packages[*]}" >&2
    echo "(elsewhere, your system's packages of the same things)" >&2
    exit 1
fi
