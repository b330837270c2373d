"""The swell: the drone and the pads grow louder and quieter over a minute or so."""

from typing import Final

from services.composer.chance import between
from services.composer.draft import Draft
from services.composer.scene import Scene

# Two periods that hardly ever coincide: no swell is like the one before.
_PERIODS_MS: Final = (53_000, 86_000)
# How far the trough lies under the crest, in thousandths of the velocity, by intensity.
_DEPTH: Final = (320, 660)


def swelled(velocity: int, draft: Draft, scene: Scene) -> int:
    """``velocity`` (thousandths) scaled by the swell in this beat; never louder than written."""
    depth = between(_DEPTH, scene.level)
    return velocity * (1000 - depth * (1000 - _height(draft, scene)) // 1000) // 1000


def _height(draft: Draft, scene: Scene) -> int:
    """0 in the deepest trough, 1000 on the highest crest."""
    heights = []
    for loop, period_ms in enumerate(_PERIODS_MS):
        period = draft.ms(period_ms)
        phase = (draft.start + draft.ms(scene.chance("swell").below(period_ms, loop))) % period
        heights.append(abs(2 * phase - period) * 1000 // period)
    return sum(heights) // len(heights)
