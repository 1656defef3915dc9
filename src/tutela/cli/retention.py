"""``tutela evidence rules``, ``due`` and ``destroy``: how long evidence is kept, and its end."""

import sys
from typing import Annotated

import typer
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cases.naming_evidence import find_items, find_subject
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, local_actor, open_house
from tutela.cli.output import print_json, print_table, to_people
from tutela.cli.subjects import Reason
from tutela.errors import InvalidInputError
from tutela.evidence.assigning import (
    KEEP_FOR_GOOD,
    Confirmation,
    assign_rule,
    confirm_rule,
    confirmations,
    rule_called,
    unruled_evidence,
)
from tutela.evidence.daily import check_clock, destroy_due, due_evidence
from tutela.evidence.destruction import destroy
from tutela.evidence.model import ItemId
from tutela.evidence.retention import Period, Rule
from tutela.evidence.rules import RuleBook, open_rule_book
from tutela.evidence.standing import Standing, all_standings
from tutela.evidence.subjects import check_reason
from tutela.evidence.vault import Vault
from tutela.storage.clock import system_clock

app = typer.Typer()


@app.command("rules")
@needs(Permission.EVIDENCE_KEEP)
def show_rules(json: JsonLines = False, data: DataFolder = None) -> None:
    """List the rules of how long evidence is kept, and which of them are sure."""
    with open_house(data, existing=True) as (settings, database), database.reading() as connection:
        book = open_rule_book(settings)
        confirmed = confirmations(connection)
    rules = sorted(book.rules.values(), key=lambda rule: (rule.jurisdiction, rule.name))
    if json:
        for rule in rules:
            print_json(_rule_fields(rule, confirmed.get(rule.digest), book))
        return
    table = Table("rule", "law of", "keeps", "from", "state", "source")
    for rule in rules:
        table.add_row(
            f"{rule.name} (in force)" if rule is book.current else rule.name,
            rule.jurisdiction,
            f"{rule.bound.replace('-', ' ')} {rule.period}",
            rule.starts.replace("-", " "),
            _state(rule, confirmed.get(rule.digest)),
            rule.source or "-",
        )
    print_table(table)
    _tell_without_jurisdiction(book)


@app.command("confirm-rule")
@needs(Permission.EVIDENCE_KEEP)
def confirm(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule, such as eu-2021-1232@1.")],
    reason: Reason,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Stand for an unverified rule as it reads now, so that it may destroy what is due by it."""
    with open_house(data, existing=True) as (settings, database), database.writing() as connection:
        found = open_rule_book(settings).named(rule)
        confirm_rule(connection, found, local_actor(), system_clock, reason=reason)
    if json:
        print_json({"rule": found.name, "digest": found.digest, "confirmed": True})
        return
    to_people.print(
        f"{found.name} is confirmed: {found.bound.replace('-', ' ')} {found.period}.", markup=False
    )


@app.command("assign-rule")
@needs(Permission.EVIDENCE_KEEP)
def assign(
    rule: Annotated[
        str,
        typer.Argument(metavar="RULE", help=f'The rule, or "{KEEP_FOR_GOOD}" to keep for good.'),
    ],
    subject: Annotated[
        str | None,
        typer.Argument(metavar="[ITEM|CASE]", help="The evidence, or all of a case."),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why. The ledger keeps it.")
    ] = "",
    without_rule: Annotated[
        bool, typer.Option("--without-rule", help="All evidence that has no rule yet.")
    ] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Keep evidence under another rule from now on."""
    if (subject is None) is not without_rule:
        raise InvalidInputError("name an item or a case, or give --without-rule for all of those")
    with open_house(data, existing=True) as (settings, database):
        book = open_rule_book(settings)
        chosen = rule_called(book, rule)
        with database.reading() as connection:
            subjects = (
                unruled_evidence(connection)
                if subject is None
                else [find_subject(connection, subject)]
            )
        count = 0
        for each in subjects:
            with database.writing() as connection:
                count += assign_rule(
                    connection, each, chosen, local_actor(), system_clock, reason=reason
                )
    name = chosen.name if chosen else KEEP_FOR_GOOD
    if json:
        print_json({"rule": name, "items": count})
    else:
        to_people.print(f"{count} kept under {name} from now on.", markup=False)


@app.command("due")
@needs(Permission.EVIDENCE_KEEP)
def show_due(
    within: Annotated[
        str, typer.Option("--within", metavar="PERIOD", help="How far to look ahead: 30d, 6m.")
    ] = "30d",
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is due later, or never.")
    ] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List what is due to be destroyed, or will be soon, and why."""
    now = system_clock()
    last_day = Period.read(within).after(now.date())
    shown: list[Standing] = []
    left_out = never = 0
    with open_house(data, existing=True) as (settings, database), database.reading() as connection:
        book = open_rule_book(settings)
        for each in all_standings(connection, book, now):
            never += each.due.at is None
            if everything or (each.due.at is not None and each.due.at.date() <= last_day):
                shown.append(each)
            else:
                left_out += 1
    if json:
        for each in shown:
            print_json(each.as_fields(now))
        return
    if shown:
        table = Table("item", "case", "due", "why")
        for each in sorted(shown, key=lambda one: (one.due.at is None, one.due.at, one.item)):
            due = "never" if each.due.at is None else f"{each.due.at:%Y-%m-%d}"
            due = "now" if each.due.is_due(now) else due
            table.add_row(each.item, each.case, due, each.due.why)
        print_table(table)
    else:
        to_people.print(f"Nothing is due until {last_day}.")
    if left_out:
        to_people.print(
            f"{left_out} more are kept, {never} of them without a date: see --all.", soft_wrap=True
        )
    _tell_without_jurisdiction(book)


@app.command("destroy")
@needs(Permission.EVIDENCE_KEEP)
def destroy_evidence(
    items: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ITEM|CASE...]", help="The evidence's ids, or cases for all their evidence."
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why. The ledger keeps it.")
    ] = "",
    ordered_by: Annotated[
        str | None,
        typer.Option("--ordered-by", metavar="REFERENCE", help="Whose order, if it is not due."),
    ] = None,
    due: Annotated[bool, typer.Option("--due", help="All that is due.")] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Do not ask: I mean it, and this machine's clock is right."),
    ] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Destroy evidence for good: what is due, or what somebody orders. Never what is held."""
    if due and (items or ordered_by):
        other = "evidence is named" if items else "--ordered-by is given"
        raise InvalidInputError(
            f"--due is given and {other} as well: give --due alone for all that is due, or leave "
            "it out and name what to destroy"
        )
    if not items and not due:
        raise InvalidInputError("name what to destroy, or give --due for all that is due")
    with open_house(data, existing=True) as (settings, database):
        vault = Vault.over(settings, database, system_clock)
        if due:
            _refuse_unless_meant(vault, yes)
            destroyed = destroy_due(
                vault,
                local_actor(),
                max_gap_days=settings.max_clock_gap_days,
                affirmed=reason,
            )
        else:
            if ordered_by is None and not yes:
                check_clock(vault, settings.max_clock_gap_days)
            with database.reading() as connection:
                chosen = [item for name in items or () for item in find_items(connection, name)]
            if ordered_by is not None and not yes:
                check_reason(reason)
                _ask(f"Destroy {len(chosen)} by order of {ordered_by}, for good?")
            destroyed = destroy(vault, chosen, local_actor(), reason=reason, ordered_by=ordered_by)
    _tell_of_destroyed(destroyed, json)


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise InvalidInputError(
            "this destroys for good what is not due, and there is nobody to ask: confirm with --yes"
        )
    typer.confirm(question, abort=True, err=True)


def _refuse_unless_meant(vault: Vault, yes: bool) -> None:
    if not yes:
        count = len(due_evidence(vault))
        raise InvalidInputError(
            f"this destroys all that is due by this machine's clock, {count} in number, for good: "
            'see "tutela evidence due", and add --yes if that is right'
        )


def _tell_of_destroyed(destroyed: list[ItemId], json: bool) -> None:
    if json:
        for item in destroyed:
            print_json({"item": item, "state": "destroyed"})
        return
    to_people.print(f"{len(destroyed)} destroyed for good. The ledger has their tombstones.")


def _tell_without_jurisdiction(book: RuleBook) -> None:
    if book.current is None:
        to_people.print(
            "No jurisdiction is set, so what is sealed gets no rule and is kept until a person "
            'decides: set jurisdiction, such as jurisdiction = "US", in tutela.toml, and give '
            'what is there already a rule with "tutela evidence assign-rule".',
            markup=False,
            soft_wrap=True,
        )


def _state(rule: Rule, confirmation: Confirmation | None) -> str:
    if rule.is_verified:
        return f"verified {rule.checked_on}"
    if confirmation is not None:
        return f"confirmed {confirmation.confirmed_at:%Y-%m-%d} by {confirmation.confirmed_by}"
    return "unverified"


def _rule_fields(
    rule: Rule, confirmation: Confirmation | None, book: RuleBook
) -> dict[str, object]:
    return {
        "rule": rule.name,
        "jurisdiction": rule.jurisdiction,
        "starts": rule.starts,
        "bound": rule.bound,
        "period": str(rule.period),
        "extended_by": sorted(rule.extended_by),
        "state": _state(rule, confirmation).split()[0],
        "source": rule.source or None,
        "checked_on": rule.checked_on.isoformat() if rule.checked_on else None,
        "confirmed_by": confirmation.confirmed_by if confirmation else None,
        "confirmed_at": confirmation.confirmed_at.isoformat() if confirmation else None,
        "notes": rule.notes,
        "digest": rule.digest,
        "in_force": rule is book.current,
    }
