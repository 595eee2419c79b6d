"""What the program does when whoever reads its output leaves."""

import subprocess
import sys


def test_help_into_a_pager_that_is_left_ends_quietly():
    command = f'"{sys.executable}" -c "from latentreel.cli.main import main; main()" train image debug --help | head -1'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "usage" in done.stdout.lower()
    assert done.stderr == ""
