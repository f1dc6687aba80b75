#!/usr/bin/env python3
"""Prints the skipped tests found in a folder of GoogleTest XML reports; fails if one is not allowed.

Usage: list_skips.py FOLDER ALLOWED   (ALLOWED: a file with one test name per line, # for comments)
"""
import pathlib
import sys
import xml.etree.ElementTree as xml

reports = sorted(pathlib.Path(sys.argv[1]).glob("*.xml"))
if not reports:
    sys.exit(f"no test reports in {sys.argv[1]}")
lines = pathlib.Path(sys.argv[2]).read_text().splitlines()
allowed = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
skipped, total = [], 0
for report in reports:
    for case in xml.parse(report).iter("testcase"):
        total += 1
        reason = case.find("skipped")
        if reason is not None:
            name = f'{case.get("classname")}.{case.get("name")}'
            skipped.append(name)
            print(f'skipped: {name}: {(reason.get("message") or "").strip()}')
print(f"{total} tests in {len(reports)} programs, {len(skipped)} skipped")
refused = [name for name in skipped if name not in allowed]
if refused:
    sys.exit(f"not on {sys.argv[2]}: {', '.join(refused)}")
