"""What must stay light stays light, in a fresh interpreter; layers are kept."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "matplotlib", "pandas", "skimage", "scipy")


def loaded(code: str, heavy: tuple[str, ...] = HEAVY) -> set[str]:
    """Heavy packages that `code` brings in; warnings are errors."""
    report = f"; import sys; print(*[m for m in {heavy!r} if m in sys.modules])"
    command = [sys.executable, "-W", "error", "-c", code + report]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import fusionzoo",
        "import fusionzoo.methods; fusionzoo.methods.names()",
        "import fusionzoo.methods as m; [m.find(n) for n in m.names()]",
        "import fusionzoo.datasets as d; [d.find(n) for n in d.names()]",
        "import fusionzoo.metrics as m; m.select('all')",
        "import fusionzoo.benchmarks as b; [b.find(n) for n in b.names()]",
    ],
)
def test_importing_and_finding_is_light(code: str) -> None:
    assert loaded(code) == set()


def test_the_command_line_itself_needs_no_arrays() -> None:
    assert loaded("import fusionzoo.cli", (*HEAVY, "numpy", "cv2", "PIL")) == set()


@pytest.mark.parametrize(
    "command", ["list", "list metrics", "--help", "info sage", "bench --help", "train --help"]
)
def test_commands_that_only_tell_are_light(command: str) -> None:
    code = (
        "import sys; from fusionzoo import cli\n"
        f"sys.argv = ['fusionzoo', *{command.split()!r}]\n"
        "try: cli.main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "0"
    )
    assert loaded(code) == set()


def test_import_layers_are_kept() -> None:
    code = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
