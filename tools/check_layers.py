#!/usr/bin/env python3
"""Fails if a folder of tenon/ includes a folder it may not know, or a file is too long."""
import pathlib
import re
import sys

MAY_INCLUDE = {
    "base": [],
    "ir": ["base"],
    "autodiff": ["base", "ir"],
    "passes": ["base", "ir"],
    "kernel": ["base"],
    "lower": ["base", "ir", "kernel"],
    "schedule": ["base", "ir", "kernel", "lower"],
    "codegen": ["base", "kernel"],
    "io": ["base"],
    "arrow": ["io"],
    "backends": ["base", "ir"],
    "backends/reference": ["base", "ir", "backends"],
    "backends/cpu": ["base", "ir", "kernel", "lower", "schedule", "codegen", "passes", "backends"],
    "tensor": ["base", "ir", "autodiff"],
    "session": ["base", "ir", "autodiff", "tensor", "passes", "backends"],
    "nn": ["base", "tensor"],
    "optim": ["base", "tensor"],
    "augment": ["base", "tensor"],
    "data": ["base", "io"],
    "train": ["base", "io", "tensor", "session", "nn", "optim", "augment", "data", "backends"],
    "models": ["base", "tensor", "nn"],
}
# The one factory may name every backend; the command line and the umbrella header everything.
EXEMPT = {"tenon/backends/open.cpp", "tenon/tenon.h"}
QUESTION, REFUSED = 500, 800

errors, questions = [], []
root = pathlib.Path(__file__).resolve().parent.parent
for path in sorted(root.glob("tenon/**/*")) + sorted(root.glob("tests/**/*")):
    if path.suffix not in (".h", ".cpp", ".def"):
        continue
    name = path.relative_to(root).as_posix()
    text = path.read_text()
    lines = text.count("\n")
    if lines > REFUSED:
        errors.append(f"{name}: {lines} lines, {REFUSED} are allowed")
    elif lines > QUESTION:
        questions.append(f"{name}: {lines} lines: is it still one thing?")
    if path.suffix == ".h" and not text.startswith("// "):
        errors.append(f"{name}: line 1 must say in a sentence what the file is")
    if not name.startswith("tenon/") or name in EXEMPT or name.startswith("tenon/cli/"):
        continue
    parts = name.split("/")
    folder = "/".join(parts[1:3]) if parts[1] == "backends" and len(parts) > 3 else parts[1]
    if folder not in MAY_INCLUDE:
        errors.append(f"{name}: folder {folder} is not in the table of {__file__}")
        continue
    for target in re.findall(r'#include "tenon/([\w/]+)\.\w+"', text):
        pieces = target.split("/")
        if len(pieces) == 1:
            continue
        used = "/".join(pieces[:2]) if pieces[0] == "backends" and len(pieces) > 2 else pieces[0]
        if used != folder and used not in MAY_INCLUDE[folder]:
            errors.append(f"{name}: {folder} may not include {used} ({target})")


def closure(name, seen):
    """Every header that this one includes, however far."""
    if name not in seen and (root / name).exists():
        seen.add(name)
        for target in re.findall(r'#include "(tenon/[\w/]+\.\w+)"', (root / name).read_text()):
            closure(target, seen)
    return seen


if "tenon/ir/op.h" in closure("tenon/tenon.h", set()):
    errors.append("tenon/tenon.h reaches tenon/ir/op.h: a public header must not show the ops")
print("\n".join(questions + errors) or "layers and sizes: ok")
sys.exit(bool(errors))
