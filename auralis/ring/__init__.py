"""The ring buffer in the broker: its writer, its reader and the Lua functions that change and read it."""
