#!/usr/bin/env bash
# check_output.sh PROGRAM EXPECTED: runs the program in an empty folder and compares what it prints:
# words exactly, numbers to a relative 2e-3. "*" in EXPECTED stands for any word (a time, say).
set -euo pipefail
program=$1 expected=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$program" >printed.txt
if ! awk -v OFS='\n' '
  function number(word) { return word ~ /^[-+]?[0-9]+\.?[0-9]*([eE][-+]?[0-9]+)?$/ }
  function tokens(line, list) { gsub(/[][(),:%]/, " & ", line); return split(line, list, /[ \t]+/) }
  NR == FNR { want[++lines] = $0; next }
  {
    ++seen
    n = tokens(want[seen], a); m = tokens($0, b)
    same = n == m
    for (i = 1; same && i <= n; ++i) {
      if (a[i] == b[i] || a[i] == "*") continue
      if (number(a[i]) && number(b[i])) {
        difference = a[i] - b[i]; if (difference < 0) difference = -difference
        size = a[i] < 0 ? -a[i] : a[i]
        if (difference <= 2e-3 * size + 1e-5) continue
      }
      same = 0
    }
    if (!same) { print "line " seen ":", "  expected " want[seen], "  printed  " $0; bad = 1 }
  }
  END { if (seen != lines) { print "printed " seen " lines, expected " lines; bad = 1 } exit bad }
' "$expected" printed.txt; then
  echo "--- the whole output:"
  cat printed.txt
  exit 1
fi
