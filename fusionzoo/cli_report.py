"""The command that turns results into a page, figures and tables."""

from __future__ import annotations

from pathlib import Path

import click

from fusionzoo.cli_results import FOLDER, fail_on


@click.command("report")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="[default: DIR/report.html]"
)
@click.option("--embed", is_flag=True, help="Pictures go into the file, not only their paths.")
@click.option(
    "--embed-limit", "limit", type=click.IntRange(1), default=64, show_default=True,
    help="MiB of pictures to embed at most.",
)  # fmt: skip
def report_command(folder: Path, out: Path | None, embed: bool, limit: int) -> None:
    """One HTML file of the results in DIR: leaderboard, pictures, plots, provenance."""
    from fusionzoo import report

    page, problems = report.write_page(folder, out, embed, limit)
    click.echo(f"report {page} ({page.stat().st_size / 1e6:.1f} MB)")
    fail_on(problems)
