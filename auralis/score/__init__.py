"""The score log: its events, the versioned score built from it, its writer and its reader."""
