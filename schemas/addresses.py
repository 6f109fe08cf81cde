"""Addresses on S3 as texts: which text is meant to be one, and which is well written."""

from __future__ import annotations

import re

ADDRESS = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#]*)?")
ADDRESS_FORM = "an address such as s3://bucket/folder, without names, keys or settings in it"


def is_address(text: str) -> bool:
    """Whether a text is meant to be an address on S3, well written or not."""
    return text.lower().startswith("s3:")
