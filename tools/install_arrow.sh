#!/usr/bin/env bash
# Installs the PyPI package pyarrow, which carries Apache Arrow's library and headers, in .cache, where
# CMake finds it; not if python3 has it. Without it Tenon is built without its Arrow plugin.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=.cache/pyarrow
for python in python3 $folder/bin/python; do
  "$python" -c 'import pyarrow' 2>/dev/null && exit 0
done
echo "installing pyarrow from PyPI into $folder (195 MiB, once): Arrow's library, for Parquet and Arrow files"
log=$(mktemp)
if ! { python3 -m venv $folder && $folder/bin/pip install -q 'pyarrow>=20'; } >"$log" 2>&1; then
  tail -3 "$log" >&2
  echo "pyarrow could not be installed: Parquet and Arrow files will not be read" >&2
  rm -rf $folder
fi
rm -f "$log"
