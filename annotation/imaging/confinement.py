"""What a decoding process may no longer ask of the kernel: no sockets, no other programs, no changed files.

On Linux (x86-64, ARM64) a seccomp filter answers the calls in `DENIED` with "operation not permitted", opening a
file for writing included, and lets threads but no processes be made. The filter needs no privilege and cannot be
taken off again. Elsewhere only the resource limits hold, and `confine` says so.

References:
    seccomp(2), prctl(2); numbers of calls: Linux arch/x86/entry/syscalls/syscall_64.tbl, asm-generic/unistd.h.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys

SECCOMP, LIMITS_ONLY = "seccomp", "limits"
OPEN_FILES = 64

# name: (number on x86-64, number on ARM64); None where the architecture has no such call
DENIED: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "accept": (43, 202), "accept4": (288, 242),
    "bind": (49, 200), "listen": (50, 201), "sendto": (44, 206), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281), "kill": (62, 129),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "creat": (85, None), "truncate": (76, 45),
    "ftruncate": (77, 46), "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276),
    "unlink": (87, None), "unlinkat": (263, 35), "rmdir": (84, None), "mkdir": (83, None), "mkdirat": (258, 34),
    "link": (86, None), "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36), "mknod": (133, None),
    "mknodat": (259, 33), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None),
    "lchown": (94, None), "fchown": (93, 55), "fchownat": (260, 54), "utimensat": (280, 88), "mount": (165, 40),
    "umount2": (166, 39), "chroot": (161, 51), "pivot_root": (155, 41), "setns": (308, 268), "unshare": (272, 97),
    "bpf": (321, 280), "io_uring_setup": (425, 425), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "perf_event_open": (298, 241), "memfd_create": (319, 279), "open_by_handle_at": (304, 265),
    "init_module": (175, 105), "finit_module": (313, 273), "setuid": (105, 146), "setgid": (106, 144),
}  # fmt: skip
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7), "arm64": (1, 0xC00000B7)}
_OPEN, _OPENAT, _OPENAT2 = (2, None), (257, 56), (437, 437)
_CLONE, _CLONE3 = (56, 220), (435, 435)
_TGKILL = (234, 131)
_CLONE_THREAD = 0x00010000
_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_NOT_PERMITTED, _NO_SUCH_CALL = 0x00050000 | 1, 0x00050000 | 38
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
_OTHER_ABI = 0x40000000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def confine() -> str:
    """Give up what decoding never needs, for good.

    Returns:
        'seccomp' when the kernel now refuses sockets, programs and writing; 'limits' when it only bounds files,
        their size and core dumps.
    """
    for which, most in ((resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, OPEN_FILES)):
        _lower(which, most)
    return SECCOMP if _filtered() else LIMITS_ONLY


def _lower(which: int, most: int) -> None:
    """Lower both limits, so that the process itself cannot raise them again; some systems refuse some."""
    try:
        hard = resource.getrlimit(which)[1]
        low = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (low, low))
    except (OSError, ValueError):
        return


def _filtered() -> bool:
    machine = _MACHINES.get(platform.machine())
    if not sys.platform.startswith("linux") or machine is None:
        return False
    code = program(*machine, own_process=os.getpid())
    held = ctypes.create_string_buffer(code, len(code))
    filter_ = _Program(len(code) // 8, ctypes.addressof(held))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return int(library.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(filter_), 0, 0)) == 0


def program(column: int, machine: int, *, own_process: int) -> bytes:
    """The filter as instructions of 8 bytes.

    Args:
        column: which number of `DENIED` counts: 0 for x86-64, 1 for ARM64.
        machine: AUDIT_ARCH of the machine; calls of another one end the process.
        own_process: the only process that may be signaled (`abort` signals itself).
    """
    lines = [
        _line(_LOAD, 0, 0, _MACHINE_AT),
        _line(_JUMP_EQUAL, 1, 0, machine),
        _line(_RETURN, 0, 0, _KILL),
        _line(_LOAD, 0, 0, _NUMBER_AT),
        _line(_JUMP_AT_LEAST, 0, 1, _OTHER_ABI),
        _line(_RETURN, 0, 0, _NOT_PERMITTED),
    ]
    for numbers in DENIED.values():
        lines += _answer(numbers[column], _NOT_PERMITTED)
    for numbers in (_OPENAT2, _CLONE3):
        lines += _answer(numbers[column], _NO_SUCH_CALL)
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    lines += _unless(_OPEN[column], 1, writing, wanted=False)
    lines += _unless(_OPENAT[column], 2, writing, wanted=False)
    lines += _unless(_CLONE[column], 0, _CLONE_THREAD, wanted=True)
    lines += _only(_TGKILL[column], own_process)
    lines.append(_line(_RETURN, 0, 0, _ALLOW))
    return b"".join(lines)


def _line(code: int, if_so: int, if_not: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, if_so, if_not, value)


def _answer(number: int | None, what: int) -> list[bytes]:
    if number is None:
        return []
    return [_line(_JUMP_EQUAL, 0, 1, number), _line(_RETURN, 0, 0, what)]


def _unless(number: int | None, argument: int, bits: int, *, wanted: bool) -> list[bytes]:
    """Refuse a call by bits of one argument: when any is set, or (`wanted`) when none is."""
    if number is None:
        return []
    refused = (1, 0) if wanted else (0, 1)
    return [
        _line(_JUMP_EQUAL, 0, 4, number),
        _line(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument),
        _line(_JUMP_ANY_BIT, *refused, bits),
        _line(_RETURN, 0, 0, _NOT_PERMITTED),
        _line(_RETURN, 0, 0, _ALLOW),
    ]


def _only(number: int | None, first_argument: int) -> list[bytes]:
    """Let a call pass only with this first argument."""
    if number is None:
        return []
    return [
        _line(_JUMP_EQUAL, 0, 4, number),
        _line(_LOAD, 0, 0, _ARGUMENTS_AT),
        _line(_JUMP_EQUAL, 1, 0, first_argument),
        _line(_RETURN, 0, 0, _NOT_PERMITTED),
        _line(_RETURN, 0, 0, _ALLOW),
    ]
