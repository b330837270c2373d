"""Every duration that more than one process must agree on, each with its reason."""

from typing import Final

from auralis.audio import CHUNK_US

# A chunk is frozen this long before it is due: every gateway has then fetched the same bytes, whatever its
# round trip to the broker (up to 100 ms) and the error of its clock.
GUARD_US: Final = 150_000
# What a worker gets at least to render and push a revised chunk before that chunk freezes.
LEAD_US: Final = 100_000
# 2 s: the ring outlives a worker whose death is noticed after a lease.
RING_CHUNKS: Final = 20
# How far after the live chunk the ring may reach; the chunks behind it stay until the gateways have them.
RING_AHEAD_CHUNKS: Final = 18
# The composer's horizon: a dead composer is not heard for this long.
HORIZON_US: Final = 8_000_000
# The score log is kept this long, for joining workers, replays and MIDI of what was just heard.
SCORE_RETENTION_MS: Final = 3_600_000
# A worker that has not renewed its channels for this long has lost them, also where its machine or network
# failed and no connection has ended; with the ring's 1.8 s ahead that leaves the next one half a second and
# more to read the log and render.
LEASE_MS: Final = 900
RENEW_S: Final = LEASE_MS / 3 / 1000
# Readers look this often even if no wake-up reaches them.
POLL_S: Final = 1.0
# A channel without a listener sleeps after this; gateways say that somebody listens at a third of it.
LISTENER_TTL_S: Final = 60.0
# Two scores meet in a crossfade of this length where a chunk froze before its new version arrived.
SEAM_MS: Final = 20


def first_unfrozen_seq(epoch_us: int, now_us: int) -> int:
    """The first chunk that may still change: ``now < due(seq) - guard``."""
    return (now_us - epoch_us + GUARD_US) // CHUNK_US + 1


def first_revisable_seq(epoch_us: int, now_us: int) -> int:
    """The first chunk that a change of the score may touch: due at least guard + lead from now."""
    return -((epoch_us - now_us - GUARD_US - LEAD_US) // CHUNK_US)
