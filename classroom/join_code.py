"""Join codes: six characters that can be read aloud and copied from a whiteboard."""

from typing import Final

from classroom.errors import Code, Malformed

# Left out: 0 O Q D, 1 I L, 2 Z, 5 S, 8 B and U V look alike in some hand or font; A and E, so that no word of any
# language with its vowels appears by chance. C, G and 6 differ enough in capitals.
ALPHABET: Final = "34679CFGHJKMNPRTWXY"
LENGTH: Final = 6
COUNT: Final = len(ALPHABET) ** LENGTH
"How many codes there are, 47,045,881: a guess hits one of 1,000 open sessions once in 47,000 tries."


def from_number(number: int) -> str:
    """Return the code of a random number; equal chances if the number is drawn from `range(COUNT)`."""
    letters = []
    for _ in range(LENGTH):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    return "".join(reversed(letters))


def normalise(typed: str) -> str:
    """Return the code as it is stored from what somebody typed: any case, blanks and hyphens allowed."""
    if len(typed) <= 4 * LENGTH:
        code = "".join(typed.split()).replace("-", "").upper()
        if len(code) == LENGTH and all(char in ALPHABET for char in code):
            return code
    raise Malformed(Code.BAD_CODE, f"A join code has {LENGTH} characters out of {ALPHABET}.")
