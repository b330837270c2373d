"""Every Redis key, in one place. The hash tag keeps a channel's keys on one slot of a cluster."""

import re
from dataclasses import dataclass
from typing import Final

from auralis.errors import InvalidValue

MAIN_CHANNEL: Final = "main"
_ALLOWED_ID: Final = "1 to 32 characters a-z, 0-9, '-', '_', beginning with a letter or digit"
_CHANNEL_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Keyspace:
    """The keys under one prefix."""

    prefix: str = "auralis"

    def control(self, channel: str) -> str:
        """Stream: control changes, gateway to composer."""
        return f"{self.prefix}:{{{channel}}}:control"

    def score(self, channel: str) -> str:
        """Stream: the score log, composer to synth."""
        return f"{self.prefix}:{{{channel}}}:score"

    def ring(self, channel: str) -> str:
        """List: the ring buffer, binary frames, oldest first, consecutive seqs."""
        return f"{self.prefix}:{{{channel}}}:ring"

    def ringmeta(self, channel: str) -> str:
        """Hash: the ``first`` seq and, for each seq, the score ids of its chunk and of the chunk before."""
        return f"{self.prefix}:{{{channel}}}:ringmeta"

    def state(self, channel: str) -> str:
        """Hash: epoch, seed, controls, revision, the composer's checkpoint."""
        return f"{self.prefix}:{{{channel}}}:state"

    @property
    def channels(self) -> str:
        """Stream: assignments, with the consumer groups ``composer`` and ``synth``."""
        return f"{self.prefix}:channels"

    def workers(self, group: str) -> str:
        """Sorted set: worker of a group → broker time of its last round in ms. On the stream's slot."""
        return f"{{{self.channels}}}:{group}"

    def presence(self, group: str, worker: str) -> str:
        """Pub/sub: nothing is published; that the topic has a subscriber shows that this worker is alive."""
        return f"{self.prefix}:{group}:{worker}"

    @property
    def presets(self) -> str:
        """Hash: presets by name."""
        return f"{self.prefix}:presets"

    @property
    def listeners(self) -> str:
        """Sorted set: channel → broker time in seconds at which it last had a listener."""
        return f"{self.prefix}:listeners"

    @property
    def wake(self) -> str:
        """Pub/sub: ``<what> <channel>``, a hint to look now."""
        return f"{self.prefix}:wake"


def checked_channel_id(text: str) -> str:
    """Return ``text`` if it is a valid channel id.

    Raises:
        InvalidValue: it is not.
    """
    if not _CHANNEL_ID.fullmatch(text):
        raise InvalidValue("id", text, _ALLOWED_ID)
    return text
