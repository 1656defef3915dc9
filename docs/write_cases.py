"""Writes the generated parts of docs/cases.md, and draws its diagram: ``make docs``.

The states, the moves and the facts come from the code itself, so that the page cannot say anything
else than what is enforced.
"""

import re
from html import escape
from pathlib import Path

from tutela.cases.facts import FACTS
from tutela.cases.states import MOVES, Move, State

PAGE = Path(__file__).with_name("cases.md")
PICTURE = Path(__file__).parent / "assets" / "cases.svg"

# Where each state is drawn: column and row.
_PLACES = {
    State.OPEN: (0, 1),
    State.IN_REVIEW: (1, 1),
    State.SECOND_LOOK: (1, 2),
    State.IN_SECOND_LOOK: (2, 2),
    State.DISPUTED: (2, 1),
    State.CONFIRMED: (3, 0),
    State.NOT_CONFIRMED: (3, 2),
    State.REPORTED: (4, 0),
    State.UNDER_APPEAL: (4, 1),
    State.CLOSED: (5, 1),
}
# Going back is in the table: it would hide the rest of the picture.
_NOT_DRAWN = {Move.UNDO, Move.GIVE_BACK, Move.REOPEN, Move.UPHOLD}
_WIDTH, _HEIGHT, _ACROSS, _DOWN, _EDGE = 128, 44, 216, 124, 24


def states_table() -> str:
    """What each state means."""
    meanings = _meanings()
    rows = ["| state | kept as | meaning |", "|---|---|---|"]
    rows += [f"| {state.words} | `{state}` | {meanings[state]} |" for state in State]
    return "\n".join(rows)


def moves_table() -> str:
    """From where each move leads to where."""
    rows = ["| move | from | to |", "|---|---|---|"]
    for move in Move:
        for before, after in MOVES[move].items():
            ends = ", ".join(state.words for state in State if state in after)
            rows.append(f"| `{move}` | {before.words} | {ends} |")
    return "\n".join(rows)


def facts_table() -> str:
    """What each fact does to a case."""
    rows = ["| fact | kept as | put forward by | hard to look at | who says it |"]
    rows.append("|---|---|---|---|---|")
    rows += [
        f"| {weight.words} | `{fact}` | {weight.forward.days} days | "
        f"{'yes' if weight.severe else 'no'} | {'Tutela' if fact.is_derived else 'people'} |"
        for fact, weight in FACTS.items()
    ]
    return "\n".join(rows)


def _meanings() -> dict[State, str]:
    """What stands below each state in its own module."""
    source = (Path(__file__).parents[1] / "src/tutela/cases/states.py").read_text(encoding="utf-8")
    found = re.findall(r'^    ([A-Z_]+) = "[a-z_]+"\n    """(.+?)"""$', source, re.MULTILINE)
    return {State[name]: meaning for name, meaning in found}


def page(text: str) -> str:
    """The page with its generated parts written anew."""
    for name, table in (
        ("states", states_table()),
        ("moves", moves_table()),
        ("facts", facts_table()),
    ):
        begin, end = f"<!-- {name}: written by docs/write_cases.py -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return text


def picture() -> str:
    """The diagram of states and moves."""
    ways: dict[tuple[State, State], list[str]] = {}
    for move in Move:
        if move not in _NOT_DRAWN:
            for before, several in MOVES[move].items():
                for after in State:
                    if after in several:
                        ways.setdefault((before, after), []).append(move)
    width = 6 * _ACROSS - (_ACROSS - _WIDTH) + 2 * _EDGE
    height = 2 * _DOWN + _HEIGHT + 2 * _EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-label="States of a case and the moves between them" '
        'font-family="system-ui, sans-serif" font-size="13">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="#5b6472"/>'
        "</marker></defs>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    parts += [_way(before, after, moves) for (before, after), moves in ways.items()]
    parts += [_box(state) for state in State]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _middle(state: State) -> tuple[float, float]:
    column, row = _PLACES[state]
    return _EDGE + column * _ACROSS + _WIDTH / 2, _EDGE + row * _DOWN + _HEIGHT / 2


def _box(state: State) -> str:
    x, y = _middle(state)
    return (
        f'<rect x="{x - _WIDTH / 2:g}" y="{y - _HEIGHT / 2:g}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" rx="8" fill="#eef2f7" stroke="#33415c"/>'
        f'<text x="{x:g}" y="{y + 4.5:g}" text-anchor="middle" fill="#1b2434">'
        f"{escape(_short(state))}</text>"
    )


def _short(state: State) -> str:
    return {State.SECOND_LOOK: "second look waits"}.get(state, state.words)


def _way(before: State, after: State, moves: list[str]) -> str:
    (x1, y1), (x2, y2) = _border(before, after), _border(after, before)
    # Nearer to where it begins, where fewer lines meet.
    share = {0: 0.5, 1: 0.3, 2: 0.75}[abs(_PLACES[before][1] - _PLACES[after][1])]
    middle_x, middle_y = x1 + (x2 - x1) * share, y1 + (y2 - y1) * share + 4
    label = escape(", ".join(moves))
    return (
        f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" stroke="#5b6472" '
        'stroke-width="1.3" marker-end="url(#tip)"/>'
        f'<text x="{middle_x:.0f}" y="{middle_y:.0f}" text-anchor="middle" font-size="11" '
        f'fill="#5b6472" stroke="#fff" stroke-width="4" paint-order="stroke">{label}</text>'
    )


def _border(of: State, towards: State) -> tuple[float, float]:
    """Where the line from a box's middle to another's leaves the box."""
    (x, y), (to_x, to_y) = _middle(of), _middle(towards)
    dx, dy = to_x - x, to_y - y
    reach = min(
        (_WIDTH / 2) / abs(dx) if dx else float("inf"),
        (_HEIGHT / 2) / abs(dy) if dy else float("inf"),
    )
    return x + dx * reach, y + dy * reach


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURE.write_text(picture(), encoding="utf-8")
