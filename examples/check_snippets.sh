#!/usr/bin/env bash
# check_snippets.sh DOCUMENT LESSON: every C++ block of the document is, line for line, part of the
# lesson (indentation and empty lines do not count).
set -euo pipefail
awk '
  function trimmed(line) { gsub(/^[ \t]+|[ \t]+$/, "", line); return line }
  function check(   start, i) {
    ++blocks
    for (start = 1; start + count - 1 <= lines; ++start) {
      for (i = 1; i <= count && lesson[start + i - 1] == block[i]; ++i);
      if (i > count) return
    }
    print ARGV[2] ": the block that begins with \"" block[1] "\" is not in " ARGV[1]
    bad = 1
  }
  NR == FNR { if (trimmed($0) != "") lesson[++lines] = trimmed($0); next }
  /^```cpp/ { inside = 1; count = 0; next }
  /^```/ { if (inside) check(); inside = 0; next }
  inside && trimmed($0) != "" { block[++count] = trimmed($0) }
  END { if (!blocks) { print ARGV[2] ": no C++ block"; bad = 1 } exit bad }
' "$2" "$1"
