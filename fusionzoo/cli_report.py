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
@click.option(
    "--figures", is_flag=True,
    help="Also PDF and PNG figures, LaTeX and Markdown tables, in a folder beside the page.",
)  # fmt: skip
@click.option(
    "--metrics", "wanted", default="core", show_default=True, help="Of the figures and tables."
)
def report_command(
    folder: Path, out: Path | None, embed: bool, limit: int, figures: bool, wanted: str
) -> None:
    """One HTML file of the results in DIR: leaderboard, pictures, plots, provenance."""
    from fusionzoo import report

    page, problems = report.write_page(folder, out, embed, limit)
    click.echo(f"report {page} ({page.stat().st_size / 1e6:.1f} MB)")
    if figures:
        place = page.parent / "figures"
        written, _ = report.write_figures(folder, place, wanted)
        click.echo(f"{len(written)} files in {place}")
    fail_on(problems)
