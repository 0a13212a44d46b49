"""What the repository itself promises: examples run, nothing foreign is in it, names agree."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import fusionzoo

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "fusionzoo").rglob("*.py"))
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
EXAMPLE = re.compile(r"<!-- example: (\S+) -->\n```python\n(.*?)```", re.DOTALL)


def tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_examples_of_contributing_work(tmp_path: Path) -> None:
    import shutil

    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "fusionzoo", tmp_path / "fusionzoo", ignore=ignored)
    examples = EXAMPLE.findall(CONTRIBUTING)
    assert len(examples) == 3
    for place, code in examples:
        (tmp_path / "fusionzoo" / place).write_text(code)
    command = ["bench", "--methods", "minimum", "--datasets", "demo", "--metrics", "ML", "--limit"]
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from fusionzoo import cli, datasets\n"
        "assert datasets.find('mine').title == 'Mine'\n"
        f"sys.argv = ['fusionzoo', *{command!r}, '1']; cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "| minimum" in done.stdout
    assert "ML" in done.stdout


def test_the_readmes_python_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        subprocess.run([sys.executable, "-c", block], check=True, capture_output=True)


def test_links_of_the_documents_exist() -> None:
    for document in [
        *ROOT.glob("*.md"),
        *ROOT.glob("*/README.md"),
        *(ROOT / "methods").glob("*.md"),
    ]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_change_log_and_the_citation_know_the_version() -> None:
    top = re.search(r"## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert top is not None
    assert top.group(1) == fusionzoo.__version__
    assert f"version: {fusionzoo.__version__}" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_no_foreign_pictures_or_weights() -> None:
    allowed = (".safetensors",)
    binary = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".pt", ".pth", ".ckpt", ".npy")
    assert [
        name for name in tracked() if name.endswith(binary) and not name.endswith(allowed)
    ] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_sources_hold_no_paths_of_a_machine(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"[\"'(\s]/(home|root|tmp|mnt|work|data)/", text)
    assert len(text.splitlines()) <= 300
