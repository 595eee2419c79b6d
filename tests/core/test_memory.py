"""Memory that tensors come and go in."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from latentreel.core.memory import keep_freed_memory

if sys.argv[1] == "kept":
    assert keep_freed_memory()
torch.set_num_threads(1)
for step in range(16):
    if step == 8:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    some = [torch.ones(2**23) for _ in range(3)]  # 32 MB each
    del some
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    return int(subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_large_tensors_are_made_in_memory_that_is_there_already() -> None:
    handed_back, kept = page_faults("handed back"), page_faults("kept")
    assert kept < handed_back / 10, f"{kept} page faults where freed memory is kept, {handed_back} where it is not"
