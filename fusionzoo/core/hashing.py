"""One short hash for everything that is compared by content."""

from __future__ import annotations

import hashlib
import json


def hash_of(*parts: object) -> str:
    """Short hash of anything JSON can hold; equal parts give equal hashes on every machine."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
