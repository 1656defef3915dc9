"""Saying once, in writing, that reports are meant for the authority; and going on after a stop.

What went to a sandbox or a test system tells nobody: its cases stay confirmed, and no clock of
their evidence begins. So a house that has rehearsed does not go live unasked: cases that were made
up to try it would be reported for real.
"""

from sqlalchemy import Connection, func, select

from tutela.accounts.model import Caller
from tutela.cases.moving import holder_of
from tutela.errors import InvalidInputError, NotFoundError, NotPermittedError
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.reporting.delivery.queueing import environment_of
from tutela.reporting.delivery.resting import (
    ChannelState,
    channel_state,
    is_used,
    lock_channel,
    resume_channel,
)
from tutela.reporting.delivery.resting import go_live as keep_live
from tutela.reporting.model import ChannelKind, Environment
from tutela.reporting.tables import IS_REHEARSAL, reports
from tutela.storage.clock import Clock
from tutela.storage.settings import Settings

NCMEC = "us-ncmec"
"""Who runs the CyberTipline, by the id in the directory."""
PHRASE = "these reports are real"
"""What has to be typed."""


def go_live(
    connection: Connection,
    settings: Settings,
    authority: str,
    caller: Caller,
    clock: Clock,
    *,
    typed: str,
    although_rehearsed: bool = False,
) -> ChannelState:
    """Confirm that reports go to the CyberTipline itself. Do it last in the transaction.

    Args:
        connection: A transaction that writes.
        settings: The configuration.
        authority: The authority's id in the directory.
        caller: Who says so.
        clock: The time.
        typed: The phrase, as somebody typed it.
        although_rehearsed: Whether somebody has seen to the cases that were only rehearsed.

    Raises:
        InvalidInputError: The phrase is another one, or the settings do not say ``live``.
        NotPermittedError: Reports of this house were only rehearsed, or the caller is a program.
    """
    holder_of(caller)
    channel = ChannelKind.CYBERTIPLINE
    if environment_of(settings, channel) is not Environment.LIVE:
        raise InvalidInputError(
            "first set reporting.cybertipline.environment to live, with the user and the password "
            "that the authority gave you"
        )
    if typed.strip().casefold() != PHRASE:
        raise InvalidInputError('nothing was changed: to go live, type "{phrase}"', phrase=PHRASE)
    lock_channel(connection, channel, authority)
    count = rehearsed(connection, channel, authority)
    if count and not although_rehearsed:
        raise NotPermittedError(
            "{count} reports of this house went to a sandbox or the test system only: their "
            "cases are confirmed, and could be reported for real from now on. Go live with a data "
            "folder of its own; or close the cases that are made up, and say --although-rehearsed",
            count=count,
        )
    keep_live(connection, channel, authority, caller.actor.id, clock)
    append(connection, caller.actor, Act.CHANNEL_LIVE, clock, thing=_thing(channel, authority))
    return channel_state(connection, channel, authority)


def resume(
    connection: Connection, channel: ChannelKind, authority: str, caller: Caller, clock: Clock
) -> ChannelState:
    """Have a channel go on, such as after its credentials were put right. Do it last.

    All that waits for it is tried at once.

    Raises:
        InvalidInputError: Nothing is ever sent by this channel.
        NotFoundError: It was never used.
    """
    if not channel.sends:
        raise InvalidInputError(
            "{authority} is told by hand there: nothing waits to be sent", authority=authority
        )
    if not is_used(connection, channel, authority):
        raise NotFoundError(
            f'nothing waits for "{authority}" by {channel}, and nothing ever did: see "tutela '
            'report channels"'
        )
    resume_channel(connection, channel, authority, clock)
    append(connection, caller.actor, Act.CHANNEL_RESUMED, clock, thing=_thing(channel, authority))
    return channel_state(connection, channel, authority)


def rehearsed(connection: Connection, channel: ChannelKind, authority: str) -> int:
    """How many reports went by a channel that the authority itself never had."""
    sent = select(func.count()).where(
        reports.c.channel == channel,
        reports.c.authority == authority,
        IS_REHEARSAL,
    )
    return connection.execute(sent).scalar_one()


def _thing(channel: ChannelKind, authority: str) -> str:
    return f"channel:{channel}:{authority}"
