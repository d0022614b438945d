#!/usr/bin/env bash
# Every test: the pure ones with those with peers and faults beside them, whose output comes after theirs; then those
# on the real Asterisk alone, because they hold rows against the moments of phones. With arguments: pytest with
# these, and nothing else.
set -uo pipefail
cd "$(dirname "$0")/.."
pytest=(.venv/bin/python -m pytest)
if (($#)); then exec "${pytest[@]}" "$@"; fi

log=.make/peers-and-faults.log
HOTLINE_TEST_PORTS=1/2 "${pytest[@]}" tests/peers tests/faults >"$log" 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null' EXIT
HOTLINE_TEST_PORTS=2/2 "${pytest[@]}" tests/pure
pure=$?
wait "$beside"
peers=$?
trap - EXIT
cat "$log"
((pure == 0 && peers == 0)) || exit 1
exec "${pytest[@]}" --ignore=tests/pure --ignore=tests/peers --ignore=tests/faults
