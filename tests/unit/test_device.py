"""Devices, number formats and free memory, as far as one machine can tell."""

import resource
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from sfumato import device
from sfumato.errors import OptionError

CPU = torch.device("cpu")


@pytest.fixture
def two_cuda_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.fixture
def no_accelerator(monkeypatch):
    for unit in (torch.cuda, torch.xpu, torch.backends.mps):
        monkeypatch.setattr(unit, "is_available", lambda: False)


def test_auto_is_the_cpu_where_there_is_nothing_else(no_accelerator):
    assert device.present() == ["cpu"]
    assert device.pick() == device.pick("cpu") == device.pick(CPU) == CPU


def test_auto_prefers_accelerators(two_cuda_devices):
    assert device.pick("auto") == torch.device("cuda")
    assert device.pick("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(OptionError, match="no device 'cuda:2', the last is cuda:1"):
        device.pick("cuda:2")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "xpu", "mps"])
def test_a_device_that_is_absent_is_one_line(no_accelerator, name):
    with pytest.raises(OptionError) as error:
        device.pick(name)
    assert str(error.value) == f"there is no device '{name}' that this PyTorch can use; choose from cpu"
    assert error.value.exit_code == 2


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "meta", "tpu", "cpu:0:1"])
def test_an_unknown_device_is_one_line(no_accelerator, name):
    with pytest.raises(OptionError, match=f"device '{name}' is unknown; choose from auto, cpu"):
        device.pick(name)


@pytest.mark.parametrize(
    ("amx", "avx512", "maker", "expected"),
    [
        (True, True, "Intel(R) Xeon(R)", torch.bfloat16),
        (True, False, "Intel(R) Xeon(R)", torch.bfloat16),
        (False, True, "Intel(R) Xeon(R)", torch.float32),  # there it is slower than float32
        (False, True, "AMD EPYC", torch.bfloat16),
        (False, False, "AMD EPYC", torch.float32),
    ],
)
def test_bf16_only_where_the_cpu_is_faster_with_it(monkeypatch, amx, avx512, maker, expected):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(device, "_cpu_name", lambda: maker)
    assert device.fast_dtype(CPU) == expected
    assert ("no bf16 units" in device.describe(CPU)) == (not amx and not avx512)


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), torch.float32), ((8, 0), torch.bfloat16)])
def test_bf16_from_ampere_on(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert device.fast_dtype(torch.device("cuda")) == expected


def test_mps_computes_in_float32():
    assert device.fast_dtype(torch.device("mps")) == torch.float32


@pytest.mark.parametrize("bf16", ["bf16", torch.bfloat16])
@pytest.mark.parametrize("fp32", ["fp32", torch.float32])
def test_autocast(bf16, fp32):
    a = torch.ones(2, 2)
    with device.autocast(CPU, bf16):
        assert (a @ a).dtype == torch.bfloat16
        with device.autocast(CPU, fp32):
            assert (a @ a).dtype == torch.float32
    assert (a @ a).dtype == torch.float32


def test_modules_move_in_channels_last():
    conv = torch.nn.Conv2d(4, 4, 3)
    assert device.to_device(conv, CPU) is conv
    assert conv.weight.is_contiguous(memory_format=torch.channels_last)


def test_compiled_modules_stay_the_same_object(monkeypatch):
    conv = torch.nn.Conv2d(4, 4, 3)
    monkeypatch.setattr(conv, "compile", lambda: setattr(conv, "was_compiled", True))
    assert device.to_device(conv, CPU, compiled=True).was_compiled


def test_the_description_is_one_line_with_the_machine_and_pytorch():
    text = device.describe(CPU)
    assert "\n" not in text and f"PyTorch {torch.__version__}" in text and "cores" in text


def test_kept_memory_is_used_again():
    """In a process of its own: a second large block costs no new pages."""
    script = """
import resource
from sfumato import device
kept = device.keep_memory()
def faults():
    block = bytearray(64 << 20)
    del block
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
faults()
before = faults()
print(int(kept), faults() - before)
"""
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert out[0] == "0" or int(out[1]) < 1000, out


def test_an_accelerator_is_described(monkeypatch):
    properties = SimpleNamespace(name="Unit 1", total_memory=24 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    assert device.describe(torch.device("cuda")).startswith("Unit 1, 24 GiB; PyTorch")
    assert device.describe(torch.device("mps")).startswith("mps of ")


def test_the_budget_of_this_machine_is_sane():
    free = device.memory_budget(CPU)
    assert 2**26 < free < 2**50


def test_memory_of_an_accelerator_counts_what_pytorch_holds_unused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 5000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 300)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 100)
    assert device.memory_budget(torch.device("cuda")) == 1200


linux = pytest.mark.skipif(sys.platform != "linux", reason="the files are Linux's")


MEMINFO = "MemTotal:       9000 kB\nMemFree:  10 kB\nMemAvailable:    8000 kB\n"
V2 = {"proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/outer/inner\n"}
V1 = {"proc/meminfo": MEMINFO, "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/job\n0::/\n"}
GROUP, OLD = "sys/fs/cgroup", "sys/fs/cgroup/memory"


@linux
@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"proc/meminfo": MEMINFO}, 8000 * 1024),
        (V2, 8000 * 1024),
        (V2 | {f"{GROUP}/outer/memory.max": "max\n", f"{GROUP}/outer/memory.current": "5\n"}, 8000 * 1024),
        (V2 | {f"{GROUP}/outer/memory.max": "7000\n", f"{GROUP}/outer/memory.current": "5000\n"}, 2000),
        (
            V2
            | {f"{GROUP}/outer/memory.max": "7000\n", f"{GROUP}/outer/memory.current": "5000\n"}
            | {f"{GROUP}/outer/memory.stat": "anon 7\ninactive_file 1500\n"},
            3500,
        ),
        (
            V2
            | {f"{GROUP}/outer/memory.max": "7000\n", f"{GROUP}/outer/memory.current": "5000\n"}
            | {f"{GROUP}/outer/inner/memory.max": "600\n", f"{GROUP}/outer/inner/memory.current": "500\n"},
            100,
        ),
        (V2 | {f"{GROUP}/memory.max": "100\n", f"{GROUP}/memory.current": "500\n"}, 0),
        (V1 | {f"{OLD}/job/memory.limit_in_bytes": "900\n", f"{OLD}/job/memory.usage_in_bytes": "100\n"}, 800),
        (
            V1
            | {f"{OLD}/memory.limit_in_bytes": "900\n", f"{OLD}/memory.usage_in_bytes": "100\n"}
            | {f"{OLD}/memory.stat": "inactive_file 1\ntotal_inactive_file 50\n"},
            850,
        ),
        ({**V2, "proc/self/cgroup": "0::/../../sibling\n", f"{GROUP}/memory.max": "3\n"}, 8000 * 1024),
    ],
)
def test_control_groups_bound_the_memory(tmp_path, monkeypatch, files, expected):
    monkeypatch.setattr(resource, "getrlimit", lambda what: (resource.RLIM_INFINITY,) * 2)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert device._main_memory(tmp_path) == expected


@linux
def test_ulimit_bounds_the_memory(tmp_path, monkeypatch):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(MEMINFO)
    (tmp_path / "proc/self/status").write_text("Name: x\nVmSize:\t    1000 kB\n")
    monkeypatch.setattr(resource, "getrlimit", lambda what: (3000 * 1024, resource.RLIM_INFINITY))
    assert device._main_memory(tmp_path) == 2000 * 1024


@linux
def test_without_proc_the_system_is_asked(tmp_path):
    assert device._main_memory(tmp_path) > 2**20
    assert device._cpu_name(tmp_path)


def test_elsewhere_half_of_the_memory_is_the_guess(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(device.os, "sysconf", lambda name: 10)
    assert device._main_memory(tmp_path) == 50
