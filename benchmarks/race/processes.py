"""Processes of the race: which cores they use, their environment, and peers that wait stopped."""
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
LONGEST_WAIT = 900


class PeerFailed(Exception):
    pass


def choose_cores(threads):
    """So many cores of those this process may use, of different physical cores where that is enough."""
    allowed, chosen, seen = sorted(os.sched_getaffinity(0)), [], set()
    for core in allowed:
        path = pathlib.Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
        siblings = path.read_text().strip() if path.exists() else str(core)
        if siblings not in seen:
            chosen.append(core)
        seen.add(siblings)
    chosen += [core for core in allowed if core not in chosen]
    if len(chosen) < threads:
        raise SystemExit(f"{threads} threads need as many cores; this process may use {len(allowed)}")
    return chosen[:threads]


def environment(threads, caches):
    """For peers and Tenon: the same number of threads, and caches in the folder `caches`."""
    count = str(threads)
    return {**os.environ, "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count,
            "OPENBLAS_NUM_THREADS": count, "TF_NUM_INTRAOP_THREADS": count,
            "TF_NUM_INTEROP_THREADS": count, "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu",
            "TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TORCHINDUCTOR_CACHE_DIR": f"{caches}/torch", "TRITON_CACHE_DIR": f"{caches}/triton",
            "JAX_COMPILATION_CACHE_DIR": f"{caches}/jax",
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            "RACE_STARTED": repr(time.monotonic())}


class Peer:
    """A peer in a process of its own, which is stopped whenever nothing is asked of it, so that threads
    that spin take nothing from the others."""

    def __init__(self, stack, folder, threads, caches, log, script="peer.py", more=()):
        pathlib.Path(caches).mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(HERE / script), "--stack", stack, "--folder", str(folder),
                   "--threads", str(threads), *more]
        self.stack, self.log = stack, pathlib.Path(log)
        with open(log, "w") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=errors, env=environment(threads, caches),
                                            start_new_session=True)
        self.buffer = b""

    def signal(self, number):
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def answer(self, wait=LONGEST_WAIT):
        """The next JSON line. PeerFailed if it ends or says nothing for `wait` seconds."""
        end = time.monotonic() + wait
        output = self.process.stdout.fileno()
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([output], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                self.close()
                raise PeerFailed(f"no answer within {wait} s")
            part = os.read(output, 1 << 16)
            if not part:
                self.close()
                raise PeerFailed(self.last_words())
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def last_words(self):
        """The last line that names an error, or the last one."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        named = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Interrupt)\b", line)]
        return (named or lines or [f"ended with {self.process.returncode}"])[-1][:300]

    def stop(self):
        self.signal(signal.SIGSTOP)

    def ask(self, line):
        """Wakes it, asks, and stops it again."""
        self.signal(signal.SIGCONT)
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise PeerFailed(self.last_words()) from None
        result = self.answer()
        self.stop()
        return result

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
