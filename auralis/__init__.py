"""Auralis: endless ambient music, composed and synthesised live.

This package is the language that the services share; it imports none of them.
"""

__version__ = "0.1.0"
