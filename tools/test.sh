#!/usr/bin/env bash
# Every test: those that need no Asterisk on all processors; then those on the real one, one after another and with
# the machine to themselves, because they hold rows against the moments of phones. With arguments: pytest with these.
set -euo pipefail
cd "$(dirname "$0")/.."
pytest=(.venv/bin/python -m pytest)
if (($#)); then exec "${pytest[@]}" "$@"; fi

fast=(tests/pure tests/peers tests/faults)
"${pytest[@]}" -n logical --dist loadscope "${fast[@]}"
exec "${pytest[@]}" "${fast[@]/#/--ignore=}"
