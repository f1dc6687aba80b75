#!/usr/bin/env bash
# run.sh BUILD: installs the build into a temporary folder and builds and runs the consumer with it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$1" --prefix "$work/prefix" >/dev/null
cmake -S "$here" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
ninja -C "$work/build" >/dev/null
printed=$("$work/build/consumer" | tr -d ' \n')
[ "$printed" = "[[7.,10.],[15.,22.]]" ] || { echo "printed $printed"; exit 1; }
