"""The directory by names, as programs are given it."""

from tutela.reporting.authorities.model import Authority, Channel, Directory, Duty, Row


def authority_fields(directory: Directory, authority: Authority) -> dict[str, object]:
    """An authority, with the ways to it."""
    return {
        **_row_fields(authority),
        "name": authority.name,
        "country": authority.country,
        "kind": authority.kind,
        "channels": [channel_fields(each) for each in directory.channels_of(authority.id)],
    }


def channel_fields(channel: Channel) -> dict[str, object]:
    """A way to an authority."""
    return {
        **_row_fields(channel),
        "authority": channel.authority,
        "kind": channel.kind,
        "address": channel.address,
        "recipients": channel.recipients.splitlines(),
        "lacks": channel.lacks,
        "ready": channel.is_ready,
    }


def duty_fields(duty: Duty) -> dict[str, object]:
    """A duty to tell somebody, or a leave to."""
    return {
        **_row_fields(duty),
        "authority": duty.authority or None,
        "authority_kind": duty.authority_kind,
        "established": list(duty.established),
        "not_established": list(duty.not_established),
        "concerned": list(duty.concerned),
        "if_unknown": duty.if_unknown,
        "incidents": list(duty.incidents),
        "binding": duty.binding,
        "provider": duty.provider,
        "promptness": duty.promptness,
        "within_hours": duty.within_hours,
        "law": duty.law,
        "satisfied_by": list(duty.satisfied_by),
    }


def row_fields(directory: Directory, row: Authority | Channel | Duty) -> dict[str, object]:
    """Any row."""
    if isinstance(row, Authority):
        return authority_fields(directory, row)
    return channel_fields(row) if isinstance(row, Channel) else duty_fields(row)


def _row_fields(row: Row) -> dict[str, object]:
    confirmation = row.confirmation
    return {
        "row": row.id,
        "version": row.version,
        "origin": row.origin,
        "standing": row.standing,
        "source": row.source or None,
        "checked_on": row.checked_on.isoformat() if row.checked_on else None,
        "confirmed_at": confirmation.confirmed_at.isoformat() if confirmation else None,
        "confirmed_by": confirmation.confirmed_by if confirmation else None,
        "confirmed_source": confirmation.source if confirmation else None,
        "notes": row.notes,
        "digest": row.digest,
    }
