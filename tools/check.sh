#!/usr/bin/env bash
# What `make check` runs (with the argument "quick", only what takes seconds); every part prints its
# name, its time, and whether it passed.
set -uo pipefail
cd "$(dirname "$0")/.."
jobs=$(nproc)
build=${BUILD:-build}  # of `make test`
failed=()

part() {
  local name=$1 start=$SECONDS
  shift
  echo "=== $name"
  if "$@"; then
    echo "--- $name: ok ($((SECONDS - start)) s)"
  else
    echo "--- $name: FAILED ($((SECONDS - start)) s)"
    failed+=("$name")
  fi
}

sources() { git ls-files '*.cpp' '*.h'; }

format() { sources | xargs clang-format-14 --dry-run -Werror; }

structure() { python3 tools/check_layers.py; }

# Every header compiles by itself.
headers() {
  local work=$PWD/build-check/tenon status=0
  git ls-files 'tenon/*.h' | xargs -P "$jobs" -I{} clang++-14 -std=c++20 -Wall -Wextra -Werror \
    -Wno-pragma-once-outside-header -I. -I"$work/generated" -fsyntax-only -x c++-header {} || status=1
  return $status
}

# Lint reads the sources in the groups that the second build compiles: each header once per group.
lint() {
  local groups status=0
  groups=$(find build-check/tenon -path '*/tenon_*' -name 'unity_*_cxx.cxx' | sort)
  [ -n "$groups" ] || { echo "there is nothing to read in build-check"; return 1; }
  xargs -P "$jobs" -n 1 clang-tidy-14 -p build-check --quiet --header-filter="^$PWD/tenon/" \
    <<<"$groups" >build-check/lint.txt 2>build-check/lint-messages.txt || status=1
  [ $status = 0 ] || { grep -E 'warning:|error:' build-check/lint.txt | sort -u; tail -3 build-check/lint-messages.txt; }
  return $status
}

# The consumer project builds Tenon by add_subdirectory, with clang, ASan and UBSan, so that one
# build serves as second compiler, sanitizer run and packaging check.
second_compiler() {
  cmake -S tests/consumer -B build-check -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_COMPILER=clang-14 -DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_CXX_FLAGS_RELEASE=-O1 \
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=10 \
    -DTENON_SOURCE="$PWD" -DTENON_BUILD_TESTS=ON -DTENON_BUILD_CLI=ON -DTENON_WARNINGS_AS_ERRORS=ON \
    -DTENON_SANITIZE=address,undefined -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >build-check.log 2>&1 \
    || { cat build-check.log; return 1; }
  rm -f build-check.log
  ninja -C build-check -j "$jobs" | grep -E 'error|warning|FAILED|\[[0-9]*00/' ; [ "${PIPESTATUS[0]}" -eq 0 ]
}

sanitizers() {
  # Without each optimisation: below.
  GTEST_FILTER='-Optimization/Without.*' ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 \
    UBSAN_OPTIONS=print_stacktrace=1 \
    ctest --test-dir build-check/tenon --output-on-failure -j "$jobs" -LE slow &&
    [ "$(build-check/consumer | tr -d ' \n')" = "[[7.,10.],[15.,22.]]" ]
}

# 20 s for each reader of files; the fast tests give each some hundredths.
fuzz_readers() {
  seq 0 $((jobs - 1)) | TENON_FUZZ_SECONDS=20 ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 \
    UBSAN_OPTIONS=print_stacktrace=1 GTEST_TOTAL_SHARDS=$jobs xargs -P "$jobs" -I{} \
    env GTEST_SHARD_INDEX={} build-check/tenon/tests/test_fuzz --gtest_brief=1 \
    --gtest_filter='Readers/EachReader.SurvivesWhateverItIsGiven/*'
}

# Without each optimisation in turn: every case, in the widest vectors and the build of `make test`;
# some cases in vectors of AVX2, under sanitizers, where all would take an hour of a processor.
optimizations() {
  ninja -C "$build" -j "$jobs" test_conformance | grep -E 'error|warning|FAILED'
  [ "${PIPESTATUS[0]}" -eq 0 ] || return 1
  TENON_TEST_EVERY=1 without_each "$build/tests/test_conformance" &&
    TENON_VECTOR_BYTES=32 without_each build-check/tenon/tests/test_conformance
}

without_each() {
  seq 0 $((jobs - 1)) | GTEST_TOTAL_SHARDS=$jobs xargs -P "$jobs" -I{} env GTEST_SHARD_INDEX={} "$1" \
    --gtest_brief=1 --gtest_filter='*Without*'
}

# The whole conformance suite in vectors of AVX2.
narrow_vectors() {
  seq 0 $((jobs - 1)) | env TENON_VECTOR_BYTES=32 GTEST_TOTAL_SHARDS="$jobs" \
    xargs -P "$jobs" -I{} env GTEST_SHARD_INDEX={} build-check/tenon/tests/test_conformance \
    --gtest_brief=1 --gtest_filter='*Backends*'
}

# The thread pool and what uses it, compiled code too, with ThreadSanitizer.
threads() {
  local build=build-check-threads compiler=$PWD/build-check-threads/compile
  cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=clang++-14 \
    -DCMAKE_C_COMPILER=clang-14 -DCMAKE_CXX_FLAGS_RELEASE=-O1 -DCMAKE_UNITY_BUILD=ON \
    -DCMAKE_UNITY_BUILD_BATCH_SIZE=10 -DTENON_SANITIZE=thread -DTENON_BUILD_CLI=OFF \
    -DTENON_BUILD_EXAMPLES=OFF >build-check-threads.log 2>&1 || { cat build-check-threads.log; return 1; }
  mv build-check-threads.log $build/configure.log
  ninja -C $build -j "$jobs" test_threads | grep -E 'error|warning|FAILED'; [ "${PIPESTATUS[0]}" -eq 0 ] || return 1
  printf '#!/bin/sh\nexec clang-14 "$@" -O1 -fsanitize=thread\n' >"$compiler" && chmod +x "$compiler"
  TENON_CC=$compiler TSAN_OPTIONS=die_after_fork=0 $build/tests/test_threads --gtest_brief=1
}

cuda_texts() {
  if ! ls /usr/local/cuda*/lib64/libnvrtc.so* >/dev/null 2>&1 && [ ! -d .cache/nvrtc ]; then
    python3 -m venv .cache/nvrtc && .cache/nvrtc/bin/pip install -q nvidia-cuda-nvrtc || return 1
  fi
  local python=python3
  [ -x .cache/nvrtc/bin/python ] && python=.cache/nvrtc/bin/python
  $python tools/check_cuda.py tests/golden/cuda_*.txt
}

# TensorBoard's own reader finds what a fit wrote.
tensorboard() {
  local python=.cache/tensorboard/bin/python folder status=0
  if [ ! -x "$python" ]; then
    python3 -m venv .cache/tensorboard && .cache/tensorboard/bin/pip install -q tensorboard || return 1
  fi
  folder=$(mktemp -d)
  TENON_EVENT_FILES=$folder build-check/tenon/tests/test_train \
    --gtest_filter='TensorBoardLog.Writes*' >"$folder/log.txt" &&
    "$python" tests/end_to_end/read_event_files.py "$folder" || { cat "$folder/log.txt"; status=1; }
  rm -rf "$folder"
  return $status
}

# The page of `tenon report`, in headless Chromium.
browser() { python3 tests/end_to_end/report_in_browser.py build-check/tenon/tenon; }

part "formatting" format
part "include directions and file sizes" structure
if [ "${1:-}" != quick ]; then
  part "CUDA texts compile" cuda_texts
  part "clang with ASan and UBSan, by add_subdirectory: build" second_compiler
  part "headers compile by themselves" headers
  part "lint" lint
  part "fast tests under ASan and UBSan" sanitizers
  part "conformance without each optimisation, AVX-512 and AVX2" optimizations
  part "conformance in vectors of AVX2" narrow_vectors
  part "threads under ThreadSanitizer" threads
  part "20 s of nearly valid files for each reader" fuzz_readers
  part "TensorBoard reads event files" tensorboard
  part "reports in a browser" browser
fi

if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "all checks: ok"
