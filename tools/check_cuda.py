#!/usr/bin/env python3
"""Compiles CUDA C files to cubins with NVRTC, for sm_80 and sm_90, and says how each went.

usage: check_cuda.py FILE...
NVRTC is looked for in the PyPI package nvidia-cuda-nvrtc (any version), in CUDA toolkits under
/usr/local, and on the loader's path. Exit status: 0 all compiled, 1 a file failed, 3 no NVRTC.
"""
import ctypes
import glob
import os
import re
import sys
import sysconfig

ARCHITECTURES = ("sm_80", "sm_90")
# Bits as in C: no fused multiply-add but the explicit ones (tenon/codegen/c_math.h).
OPTIONS = ("--fmad=false", "--std=c++17", "-default-device")


def candidates():
    roots = {sysconfig.get_paths()[key] for key in ("purelib", "platlib")} | set(sys.path)
    for root in sorted(filter(None, roots)):
        yield from glob.glob(os.path.join(root, "nvidia", "*", "lib", "libnvrtc.so*"))
    yield from glob.glob("/usr/local/cuda*/lib64/libnvrtc.so*")
    yield from ("libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2")


def load_nvrtc():
    for path in candidates():
        # The .alt builds and the builtins library stand beside the one that is wanted.
        if ".alt." in path or "builtins" in path:
            continue
        try:
            return ctypes.CDLL(path), path
        except OSError:
            continue
    return None, None


class Compiler:
    def __init__(self, library):
        self.library = library
        library.nvrtcGetErrorString.restype = ctypes.c_char_p

    def check(self, status, what):
        if status != 0:
            message = self.library.nvrtcGetErrorString(status).decode()
            raise RuntimeError(f"{what}: {message}")

    def text_of(self, program, what):
        size = ctypes.c_size_t()
        self.check(getattr(self.library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)), what)
        buffer = ctypes.create_string_buffer(max(size.value, 1))
        self.check(getattr(self.library, f"nvrtcGet{what}")(program, buffer), what)
        return buffer.raw[: size.value]

    def cubin(self, name, source, architecture):
        """The cubin and the log; None for the cubin if the source does not compile."""
        program = ctypes.c_void_p()
        self.check(
            self.library.nvrtcCreateProgram(
                ctypes.byref(program), source, name.encode(), 0, None, None),
            "nvrtcCreateProgram")
        try:
            options = [f"--gpu-architecture={architecture}".encode()]
            options += [option.encode() for option in OPTIONS]
            array = (ctypes.c_char_p * len(options))(*options)
            status = self.library.nvrtcCompileProgram(program, len(options), array)
            log = self.text_of(program, "ProgramLog").rstrip(b"\0").decode(errors="replace").strip()
            if status != 0:
                return None, log or self.library.nvrtcGetErrorString(status).decode()
            return self.text_of(program, "CUBIN"), log
        finally:
            self.library.nvrtcDestroyProgram(ctypes.byref(program))


def main(paths):
    if not paths:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    library, path = load_nvrtc()
    if library is None:
        print("check_cuda: no NVRTC found; install it with: pip install nvidia-cuda-nvrtc",
              file=sys.stderr)
        return 3
    major, minor = ctypes.c_int(), ctypes.c_int()
    library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    print(f"NVRTC {major.value}.{minor.value} ({path})")
    compiler = Compiler(library)
    failures = 0
    for file in paths:
        with open(file, "rb") as stream:
            source = stream.read()
        kernels = re.findall(rb"__global__[^(]*?(?:__launch_bounds__\(\d+\)\s*)?(\w+)\(", source)
        results = []
        for architecture in ARCHITECTURES:
            cubin, log = compiler.cubin(os.path.basename(file) + ".cu", source, architecture)
            # A cubin is an ELF file in which each kernel is a symbol.
            missing = [k.decode() for k in kernels if cubin is not None and k not in cubin]
            if cubin is None or not cubin.startswith(b"\x7fELF") or not kernels or missing:
                failures += 1
                results.append(f"{architecture} FAILED")
                print(log or f"no kernel in the cubin: {missing or 'none declared'}")
            else:
                results.append(f"{architecture} {len(cubin)} bytes")
                if log:
                    print(log)
        print(f"{file}: {', '.join(results)}")
    print("check_cuda: all compiled" if failures == 0 else f"check_cuda: {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
