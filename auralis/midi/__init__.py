"""The score as a Standard MIDI File, for whoever exports it: the gateway and the offline renderer."""
