"""Where to compute and how: device, number format, memory layout, free memory."""

import ctypes
import os
import platform
import re
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, TypeVar

import torch
from torch import nn

from . import machine
from .errors import OptionError
from .machine import cores

KINDS = ("cuda", "xpu", "mps", "cpu")
"""In the order in which `auto` prefers them."""

Precision = Literal["fp32", "bf16"]
DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def pick(name: str | torch.device = "auto") -> torch.device:
    """The device of that name; `auto` is the first of `KINDS` that is there.

    Raises:
        OptionError: it is unknown or not there; those that are there are named.
    """
    if isinstance(name, str) and name == "auto":
        return torch.device(present()[0])
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in KINDS:
        raise OptionError(f"device {str(name)!r} is unknown; choose from auto, {', '.join(present())}")
    count = _count(device.type)
    if not count:
        raise OptionError(
            f"there is no device {str(name)!r} that this PyTorch can use; choose from {', '.join(present())}"
        )
    if (device.index or 0) >= count:
        raise OptionError(f"there is no device {str(name)!r}, the last is {device.type}:{count - 1}")
    return device


def present() -> list[str]:
    """The kinds of device that are there, in the order of preference; the last is `cpu`."""
    return [kind for kind in KINDS if _count(kind)]


def _count(kind: str) -> int:
    if kind == "cuda":
        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "xpu":
        return torch.xpu.device_count() if torch.xpu.is_available() else 0
    return int(kind == "cpu" or torch.backends.mps.is_available())


def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device computes faster with it, else float32."""
    return torch.bfloat16 if _is_faster_in_bf16(device) else torch.float32


def _is_faster_in_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "xpu":  # PyTorch before 2.7 cannot tell
        supported = getattr(torch.xpu, "is_bf16_supported", None)
        return supported is not None and bool(supported())
    units = _cpu_bf16_units() if device.type == "cpu" else []
    # Intel's AVX512-BF16 alone is slower than float32: on a Xeon whose AMX the virtual machine hides, 153 GFLOP/s in a
    # convolution against 281. AMD's is twice as fast: 418 against 208 (benchmarks/layers.py).
    return "AMX" in units or ("AVX512-BF16" in units and "Intel" not in _cpu_name())


def _cpu_bf16_units() -> list[str]:
    """Units of this CPU that multiply bfloat16; without them PyTorch would emulate it, slower than float32."""
    units = {"AMX": torch.cpu._is_amx_tile_supported, "AVX512-BF16": torch.cpu._is_avx512_bf16_supported}
    return [name for name, supported in units.items() if supported()]


def autocast(device: torch.device, precision: Precision | torch.dtype) -> AbstractContextManager[object]:
    """A context in which the heavy operations compute in that precision; float32 switches an outer one off."""
    dtype = precision if isinstance(precision, torch.dtype) else DTYPES[precision]
    if dtype == torch.float32:
        return torch.autocast(device.type, enabled=False)
    return torch.autocast(device.type, dtype=dtype)


def to_device(module: ModuleT, device: torch.device, *, compiled: bool = False) -> ModuleT:
    """The same module on the device, with its filters in channels_last order, in which convolutions are fastest.

    Args:
        compiled: let `torch.compile` translate it at the first call; that takes a compiler and a minute or so.
    """
    module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if compiled:
        module.compile()
    return module


def keep_memory() -> bool:
    """Makes this process keep the memory it frees for its next tensors, where the C library is glibc; whether it did.

    By default each large tensor is mapped anew, and the system clears its pages: on a CPU, filling a tensor of 30 MB
    and more takes three times as long so (measured, and far more on virtual machines that hand free pages back).
    Programs call it once at their start; a library has no business to.
    """
    return machine.keep_memory(None)


def describe(device: torch.device) -> str:
    """One line that names the machine and the PyTorch, for tables of measurements."""
    versions = f"PyTorch {torch.__version__}"
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB; {versions}"
    if device.type != "cpu":
        return f"{device.type} of {_cpu_name()}; {versions}"
    units = ", ".join(_cpu_bf16_units()) or "no bf16 units"
    return f"{_cpu_name()}, {cores()} cores, {units}; {versions}, {torch.get_num_threads()} threads"


def _cpu_name(root: Path = Path("/")) -> str:
    found = re.search(r"^model name\s*: (.+)$", _text(root / "proc/cpuinfo"), re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def memory_budget(device: torch.device) -> int:
    """Bytes that can be allocated on the device now, as well as the system tells."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused
    if device.type == "xpu":
        total = torch.xpu.get_device_properties(device).total_memory
        return int(total - torch.xpu.memory_allocated(device))
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return _main_memory()


def _main_memory(root: Path = Path("/")) -> int:
    if sys.platform == "win32":
        return _windows_memory()
    if sys.platform == "darwin":  # it tells what is free only through calls of its own; half of all is a careful guess
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    available = re.search(r"^MemAvailable:\s+(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    free = int(available[1]) * 1024 if available else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    return max(0, min([free, *_group_limits(root), *_address_limits(root)]))


def _group_limits(root: Path) -> list[int]:
    """What each control group around this process leaves it, by version 2 or 1 of their interface."""
    left = []
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            base, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            base = root / "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        inside = base / group.strip("/")  # in a container the path may be the host's: then only the root is seen
        for folder in [f for f in (inside, *inside.parents) if f == base or base in f.parents]:
            limit, usage = _number(folder / names[0]), _number(folder / names[1])
            if limit is not None and usage is not None:
                cache = re.search(rf"^{names[2]} (\d+)$", _text(folder / "memory.stat"), re.MULTILINE)
                left.append(limit - usage + (int(cache[1]) if cache else 0))
    return left


def _address_limits(root: Path) -> list[int]:
    """What `ulimit -v` leaves, if it is set."""
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    used = re.search(r"^VmSize:\s+(\d+) kB", _text(root / "proc/self/status"), re.MULTILINE)
    return [] if limit == resource.RLIM_INFINITY or not used else [limit - int(used[1]) * 1024]


if sys.platform == "win32":

    def _windows_memory() -> int:
        class Status(ctypes.Structure):
            """MEMORYSTATUSEX of the Windows interface; the second of the sizes is the free physical memory."""

            _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong), ("sizes", ctypes.c_ulonglong * 7)]

        status = Status(length=ctypes.sizeof(Status))
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.sizes[1])


def _text(path: Path) -> str:
    """A file of the system; empty where there is none or it may not be read, as on other kernels."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None
