#!/bin/sh
# Find a Python that will do, installing Debian's where there is none, and hand over to tools/setup.py.
set -eu
cd "$(dirname "$0")/.."

good() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for python in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
        if good "$python"; then
            echo "$python"
            return
        fi
    done
}

say() { echo "setup: $1" >&2; }

found=$(find_python)
if [ -z "$found" ]; then
    packages="python3 python3-venv ca-certificates"
    if ! command -v apt-get >/dev/null 2>&1; then
        say "there is no Python 3.11 or newer with venv — install one and run the same command again"
        exit 1
    elif [ "$(id -u)" = 0 ]; then
        sudo=""
    elif command -v sudo >/dev/null 2>&1; then
        sudo="sudo"
    else
        say "Python is missing and needs root to install — as root: apt-get install $packages"
        exit 1
    fi
    mkdir -p .make
    echo "==> Debian packages: $packages"
    # shellcheck disable=SC2086
    if ! { $sudo apt-get update -q && $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends $packages; } </dev/null >.make/python.log 2>&1; then
        say "Debian's Python could not be installed (no network?) — see .make/python.log, then run this again"
        exit 1
    fi
    found=$(find_python)
fi
if [ -z "$found" ]; then
    say "this Debian's Python is older than 3.11 — use Debian 12 or newer, or set PYTHON=/path/to/python3.11"
    exit 1
fi
exec "$found" tools/setup.py "$@"
