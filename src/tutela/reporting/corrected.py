"""What a correction may name: a report that whoever is told has themselves."""

from tutela.errors import OutOfTurnError
from tutela.reporting.model import Environment, ReportId


def check_corrected(corrected: ReportId, went_to: str | None, environment: Environment) -> None:
    """See that the report that another one corrects went where that one goes.

    A number that a sandbox gave is nobody's at the authority, or somebody else's.

    Args:
        corrected: The earlier report.
        went_to: How real that one was, if it is known.
        environment: How real the one is that corrects it.

    Raises:
        OutOfTurnError: It went elsewhere.
    """
    if went_to is not None and went_to != environment:
        raise OutOfTurnError(
            "report {report} went to the {environment} environment, so this one does not know it: "
            "begin a report of its own",
            report=corrected,
            environment=went_to,
        )
