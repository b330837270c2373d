"""Rendering without a running system: the same composer and renderer, no broker, no clock."""
