"""Every duration that more than one process must agree on, each with its reason."""

from typing import Final

from auralis.audio import CHUNK_US

# A chunk freezes this long before it is due: time for every gateway to fetch the same bytes, whatever its
# round trip to the broker (up to 100 ms) and its clock error.
GUARD_US: Final = 150_000
# The least time that a worker has to render and push a revised chunk before that chunk freezes.
LEAD_US: Final = 100_000
# 2 s: a worker's death is noticed after a lease, before the ring is empty.
RING_CHUNKS: Final = 20
# How far ahead of the live chunk the ring may reach; the rest is past chunks that a gateway may still need.
RING_AHEAD_CHUNKS: Final = 18
# How far ahead the composer writes: for this long a dead composer goes unnoticed.
HORIZON_US: Final = 8_000_000
# The score log is kept this long, for joining workers, replays and MIDI of what was just heard.
SCORE_RETENTION_MS: Final = 3_600_000
# A worker that has not renewed its channels for this long loses them, even if its machine or network failed
# without closing a connection; with the ring 1.8 s ahead, that leaves its successor half a second or more to
# read the log and render.
LEASE_MS: Final = 900
RENEW_S: Final = LEASE_MS / 3 / 1000
# Readers look this often even if no wake-up reaches them.
POLL_S: Final = 1.0
# A channel without listeners sleeps after this long; gateways report their listeners every third of it.
LISTENER_TTL_S: Final = 60.0
# Where a chunk froze before its new version arrived, the two scores are crossfaded over this length.
SEAM_MS: Final = 20


def first_unfrozen_seq(epoch_us: int, now_us: int) -> int:
    """The first chunk that may still change: ``now < due(seq) - guard``."""
    return (now_us - epoch_us + GUARD_US) // CHUNK_US + 1


def first_revisable_seq(epoch_us: int, now_us: int) -> int:
    """The first chunk that a change to the score may affect: due at least guard + lead from now."""
    return -((epoch_us - now_us - GUARD_US - LEAD_US) // CHUNK_US)
