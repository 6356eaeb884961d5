"""Join codes: six characters that can be read aloud and copied from a whiteboard."""

from typing import Final

from classroom.errors import Code, Malformed

# Left out: 0 O Q D, 1 I L, 2 Z, 5 S, 8 B and U V look alike in some hand or font; without the vowels A and E, hardly
# any word appears by chance. C, G and 6 differ enough in capitals.
ALPHABET: Final = "34679CFGHJKMNPRTWXY"
LENGTH: Final = 6
COUNT: Final = len(ALPHABET) ** LENGTH
"Number of codes, 47,045,881: with 1,000 open sessions, one guess in 47,000 hits one of them."


def from_number(number: int) -> str:
    """Return the code for a random number; all codes are equally likely if the number is drawn from `range(COUNT)`."""
    letters = []
    for _ in range(LENGTH):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    return "".join(reversed(letters))


def normalise(typed: str) -> str:
    """Return the stored form of a typed code: any case, blanks and hyphens allowed."""
    if len(typed) <= 4 * LENGTH:
        code = "".join(typed.split()).replace("-", "").upper()
        if len(code) == LENGTH and all(char in ALPHABET for char in code):
            return code
    raise Malformed(Code.BAD_CODE, f"A join code has {LENGTH} characters out of {ALPHABET}.")
