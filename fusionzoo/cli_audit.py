"""The command `audit`: which convention a published table was probably computed with."""

from __future__ import annotations

from pathlib import Path

import click

from fusionzoo.core import DataError


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="TABLE.csv | SYMBOL=VALUES...")
@click.option("--out", type=click.Path(path_type=Path), help="Converted columns: .csv, .json, ...")
def audit(what: tuple[str, ...], out: Path | None) -> None:
    """Say which metric convention a published table was probably computed with, and why.

    WHAT is a CSV file with metrics as headings, or values such as SD=9.8,8.9 PSNR=62.8.
    """
    from fusionzoo import audit, audit_table, tables

    if out:
        tables.check_suffix(out)
    named = len(what) == 1 and "=" not in what[0]
    published = audit_table.read(Path(what[0])) if named else audit_table.parse(what)
    report = audit.audit(published.columns)
    click.echo(audit_table.findings(report, published.columns).markdown())
    converted = audit_table.converted(report, published)
    if converted:
        click.echo(converted.markdown())
    if out and converted is None:
        raise DataError(f"no column converts to the standard convention: {out} is not written")
    if out and converted:
        converted.write(out)
        click.echo(f"table written to {out}")
