"""``tutela report``: reports of cases to authorities."""

import typer

from tutela.cli import delivery_status, report_writing

app = typer.Typer(
    help="Report cases to authorities, and see what becomes of the reports.", no_args_is_help=True
)


@app.callback()
def _reports() -> None:
    pass


app.add_typer(report_writing.app)
delivery_status.add_to(app)
