"""``tutela report``: reports of cases to authorities."""

import typer

from tutela.cli import (
    delivery_status,
    report_channels,
    report_doubts,
    report_feedback,
    report_writing,
    service_levels,
)

app = typer.Typer(
    help="Report cases to authorities, and see what becomes of the reports.", no_args_is_help=True
)


@app.callback()
def _reports() -> None:
    pass


app.add_typer(report_writing.app)
delivery_status.add_to(app)
app.add_typer(report_feedback.app, name="feedback")
app.add_typer(service_levels.app)
report_channels.add_to(app)
report_doubts.add_to(app)
