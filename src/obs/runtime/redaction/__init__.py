"""Make a value fit to be written: secrets masked, size bounded, everything plain JSON data.

`obs.runtime.redaction.policy` applies the settings; until then everything is masked that can be.
"""

from obs.runtime.redaction.keys import is_secret
from obs.runtime.redaction.mask import MASK
from obs.runtime.redaction.text import STACK_LIMIT, TEXT_LIMIT, scrub
from obs.runtime.redaction.walk import NAME_LIMIT, clean, clean_value, plain_text

__all__ = [
    "MASK",
    "NAME_LIMIT",
    "STACK_LIMIT",
    "TEXT_LIMIT",
    "clean",
    "clean_value",
    "is_secret",
    "plain_text",
    "scrub",
]
