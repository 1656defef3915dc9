"""Parts of a file that can be shown to people as well as compared. In a cell alone.

Whatever takes the fingerprints of a part also says how to make its picture, so that what is shown
of a place is what was hashed there: nothing else looks for parts.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image

from tutela.fingerprints.model import Part
from tutela.sandbox.packets import as_told, lies_in

_INSTANT = re.compile(r"(\d+):(\d\d):(\d\d)(\.\d+)?(?: .*)?")


@dataclass(frozen=True, slots=True)
class Sight(Part):
    """A part with a picture.

    Attributes:
        picture: Makes the picture that was hashed, in colour. Only until the next part is asked
            for: its decoder stands at it as long.
    """

    picture: Callable[[], Image.Image] = field(kw_only=True, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The one place of a file that is looked for; the others need not be opened up.

    Attributes:
        place: As ``Part`` has it; ``""`` is the first thing that can be seen.
    """

    place: str

    def is_in(self, place: str) -> bool:
        """Whether it may be this place, or somewhere in it."""
        told = as_told(place)
        if not self.place or not place:
            return True
        if told not in (place, self.place):
            # What was cut for its length can only be told apart by its beginning.
            return self.place.startswith(told.partition("…")[0])
        return lies_in(self.place, told)

    def is_at(self, part: Part) -> bool:
        """Whether this part is what is looked for."""
        return as_told(part.place) == self.place

    def within(self, place: str) -> "Wanted | None":
        """What is looked for, by its place in the file at this place; ``None`` if it is not there.

        It may be there all the same where places are cut for their length.
        """
        if not place:
            return self
        before = f"{as_told(place)} "
        rest = self.place.removeprefix(before)
        return None if rest == self.place else Wanted(rest)

    def seconds_in(self, place: str) -> float | None:
        """The instant of a video at this place that is looked for; ``None`` if it is none of its.

        It is up to a second from that of the frame.
        """
        here = self.within(place)
        found = _INSTANT.fullmatch(here.place) if here else None
        if found is None:
            return None
        hours, minutes, seconds = (int(each) for each in found.groups()[:3])
        return hours * 3600 + minutes * 60 + seconds + float(found[4] or 0)
