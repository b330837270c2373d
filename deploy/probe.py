"""Health check for images, which have no curl: `probe.py URL [TEXT]` exits 0 if the answer contains TEXT."""

import sys
import urllib.request

url, text = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  the image's own loopback address
    sys.exit(0 if text in answer.read().decode() else f"{url} answers without {text!r}")
