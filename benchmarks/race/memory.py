"""Resident memory of this process, from /proc."""
import resource


def _status(name):
    with open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return None


def resident():
    return _status("VmRSS")


def reset_peak():
    """The peak begins anew from what is resident now; where the system refuses, it stays."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def peak():
    return _status("VmHWM")


def children_peak():
    """Of the largest child that has ended: compilers."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
