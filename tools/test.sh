#!/usr/bin/env bash
# Every test: the pure ones first, then those with peers and faults beside those on the real Asterisk, which mostly
# wait. What the former print comes last. With arguments: pytest with these, and nothing else.
set -uo pipefail
cd "$(dirname "$0")/.."
pytest=(.venv/bin/python -m pytest)
if (($#)); then exec "${pytest[@]}" "$@"; fi

"${pytest[@]}" tests/pure || exit 1
log=.make/peers-and-faults.log
HOTLINE_TEST_PORTS=1/2 "${pytest[@]}" tests/peers tests/faults >"$log" 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null' EXIT
HOTLINE_TEST_PORTS=2/2 "${pytest[@]}" --ignore=tests/pure --ignore=tests/peers --ignore=tests/faults
real=$?
wait "$beside"
peers=$?
trap - EXIT
cat "$log"
((real == 0 && peers == 0))
