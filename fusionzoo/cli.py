"""The command line: thin, and importing what a command needs only when it runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

import fusionzoo
from fusionzoo import (
    catalog,
    cli_adapt,
    cli_audit,
    cli_bench,
    cli_explain,
    cli_leaderboard,
    cli_masks,
    cli_profile,
    cli_report,
    cli_results,
    cli_sweep,
    cli_train,
    cli_work,
)
from fusionzoo.cli_work import data_option
from fusionzoo.core import FusionZooError

KINDS = ("methods", "metrics", "conventions", "datasets", "benchmarks")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(fusionzoo.__version__, prog_name="fusionzoo")
def cli() -> None:
    """A zoo of image-fusion methods and the benchmark that compares them."""


for command in (
    cli_work.run, cli_work.evaluate, cli_bench.bench, cli_train.train, cli_audit.audit,
    cli_sweep.sweep,
):  # fmt: skip
    cli.add_command(command)
cli.add_command(cli_masks.masks)
cli.add_command(cli_explain.explain)
cli.add_command(cli_report.report_command)
cli.add_command(cli_results.results)
cli.add_command(cli_profile.profile)
cli.add_command(cli_leaderboard.leaderboard)
cli.add_command(cli_adapt.pseudo_label)


@cli.command("list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
def list_command(kind: str | None) -> None:
    """Names of methods, metrics, metric conventions, datasets and benchmarks."""
    for shown in [kind] if kind else KINDS:
        entries = _summaries(shown)
        width = max(map(len, entries), default=0)
        click.secho(f"{shown} ({len(entries)})", bold=True)
        for name, summary in entries.items():
            click.echo(f"  {name:<{width}}  {summary}")


def _summaries(kind: str) -> dict[str, str]:
    if kind == "conventions":
        from fusionzoo import metrics

        return {name: rule.title for name, rule in metrics.CONVENTIONS.items()}
    package = f"fusionzoo.{kind}"
    return {name: catalog.summary(package, name) for name in catalog.names(package)}


@cli.command()
@click.argument("name")
def info(name: str) -> None:
    """Paper, task, roles, weights and licences of a method; the facts of anything else."""
    from fusionzoo import describe

    click.echo(describe.describe(name))


@cli.group()
def data() -> None:
    """What data is on this machine, and whether it is whole."""


@data.command("list")
@data_option
def data_list(data: Path | None) -> None:
    """Datasets, and where they were found."""
    from fusionzoo import describe

    click.echo(describe.data_table(data))


@data.command("check")
@click.argument("name")
@data_option
def data_check(name: str, data: Path | None) -> None:
    """Counts, sizes, missing partners, known faults of a dataset."""
    from fusionzoo import describe

    text, faults = describe.check(name, data)
    click.echo(text)
    if faults:
        raise FusionZooError(f"{faults} faults in {name}")


def main() -> None:
    """Entry point: one line per error, and what is finished stays."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted: what is finished is kept; the same command goes on", err=True)
        sys.exit(130)
    except FusionZooError as error:
        click.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
