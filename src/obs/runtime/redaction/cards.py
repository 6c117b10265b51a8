"""Card numbers: 13 to 19 digits of a known issuer whose check digit is right.

Check digit: ISO/IEC 7812-1, annex B (Luhn). Issuers' ranges: the first digits that the card schemes
publish. Both together leave order numbers and timestamps alone: one random number in ten has a
right check digit, and timestamps begin like no card.
"""

from __future__ import annotations

import re

from obs.runtime.redaction.mask import MASK

#: Digits in groups that one space or dash joins. A shorter run is tried again from each of its
#: digits, at most twelve times.
RUN = re.compile(r"[0-9](?:[ -]?[0-9]){12,}")
#: As many digits and separators as a card has, which is quicker to look for.
LONG_ENOUGH = re.compile(r"[0-9][0-9 -]{12}").search
_GROUP = re.compile(r"[0-9]+")
_HEX = frozenset("0123456789abcdefABCDEF")
_SHORTEST, _LONGEST = 13, 19
#: A number written in groups has none shorter: a row of small numbers is no card.
_SMALLEST_GROUP = 3
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
#: Digits of a whole number that is taken for a card; ids of 18 and 19 digits are common.
_WHOLE = (10**14, 10**16)
#: How far around a number its token is looked at.
_AROUND = 64


def is_card(digits: str) -> bool:
    """Tell whether `digits` is a number that a card may have."""
    return _issued(digits) and _luhn(digits)


def is_card_number(number: int) -> bool:
    """Tell whether a whole number is a card of 15 or 16 digits."""
    return _WHOLE[0] <= number < _WHOLE[1] and is_card(str(number))


def mask_cards(text: str) -> str:
    """Return `text` with card numbers masked, spaces and dashes inside them included."""
    return RUN.sub(_mask_run, text) if LONG_ENOUGH(text) is not None else text


def _mask_run(match: re.Match[str]) -> str:
    run = match.group()
    groups = [(found.start(), found.end()) for found in _GROUP.finditer(run)]
    if len(groups) == 1:
        return MASK if is_card(run) and not _in_hex(match) else run
    return _mask_groups(run, groups)


def _mask_groups(run: str, groups: list[tuple[int, int]]) -> str:
    """Mask whatever neighbouring groups make a card: an expiry date may follow it."""
    parts: list[str] = []
    done = index = 0
    while index < len(groups):
        last = _card_from(run, groups, index)
        if last is None:
            index += 1
            continue
        parts += [run[done : groups[index][0]], MASK]
        done, index = groups[last][1], last + 1
    return "".join([*parts, run[done:]])


def _card_from(run: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """Return the last group of the longest card that begins with group `first`, None without one."""
    digits, found = "", None
    for index in range(first, len(groups)):
        start, end = groups[index]
        if end - start < _SMALLEST_GROUP or len(digits) + end - start > _LONGEST:
            break
        digits += run[start:end]
        if len(digits) >= _SHORTEST and is_card(digits):
            found = index
    return found


def _in_hex(match: re.Match[str]) -> bool:
    """Tell whether the digits are a part of a hexadecimal id."""
    text, start, end = match.string, match.start(), match.end()
    first, last = start, end
    while first > 0 and start - first < _AROUND and text[first - 1].isalnum():
        first -= 1
    while last < len(text) and last - end < _AROUND and text[last].isalnum():
        last += 1
    token = text[first:last]
    # A number after a decimal point is a fraction.
    return (len(token) > end - start and _HEX.issuperset(token)) or (
        start > 1 and text[start - 1] == "." and text[start - 2].isdigit()
    )


def _issued(digits: str) -> bool:  # noqa: PLR0911 - one return an issuer
    size = len(digits)
    if not _SHORTEST <= size <= _LONGEST:
        return False
    if digits[0] == "4":
        return size in {13, 16, 19}
    two, four = int(digits[:2]), int(digits[:4])
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return size == 16
    if two in {34, 37}:
        return size == 15
    if two in {36, 38, 39} or 3000 <= four <= 3059:
        return size in {14, 16, 19}
    if 3528 <= four <= 3589:
        return 16 <= size <= 19
    if two in {62, 65} or four == 6011 or 6440 <= four <= 6499:
        return 16 <= size <= 19
    return four in {5018, 5020, 5038, 6304, 6759, 6761, 6762, 6763}


def _luhn(digits: str) -> bool:
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[number] for number in numbers[1::2])) % 10 == 0
