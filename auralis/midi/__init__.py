"""The score as a Standard MIDI File, as the gateway and the offline renderer export it."""
