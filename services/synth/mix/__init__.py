"""From voices to the channel's mix: levels, layers, the desk, and the tape with the recent past."""
