"""``tutela doctor``: what is well here, what is not, and what to do."""

from tutela.accounts.permissions import Permission
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines
from tutela.cli.output import print_json, print_line
from tutela.examination import How, examine
from tutela.storage.settings import load_settings

_OK, _ERROR = 0, 2
_MARKS = {How.WELL: "✓", How.WARNING: "!", How.WRONG: "✕"}


@needs(Permission.SETTINGS_READ)
def doctor(json: JsonLines = False, data: DataFolder = None) -> int:
    """Look this machine and the house over, and say what to do. Nothing is changed.

    Exit codes: 0 it works, perhaps with warnings; 2 something has to be mended first.
    """
    findings = examine(load_settings(data=data))
    for each in findings:
        if json:
            print_json(each.as_fields())
            continue
        print_line(f"{_MARKS[each.how]} {each.name}: {each.detail}")
        if each.advice:
            print_line(f"    {each.advice}")
    return _ERROR if any(each.how is How.WRONG for each in findings) else _OK
