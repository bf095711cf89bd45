"""What an artist should know of work that went well, by code; clients have the sentences in their own languages."""

from .schema import Note, Value

NOTES = {
    "frames": "Only the first of {frames} frames is used.",
    "profile": "The colour profile is damaged or of another kind, so the colours are taken as sRGB.",
    "in_parts": "Memory ran out, so it was done in smaller parts.",
    "by_processor": "The GPU's memory ran out, so it was done by the processor.",
}


def note(code: str, **values: Value) -> Note:
    """One of `NOTES`, with the values that its sentence needs."""
    return Note(code=code, message=NOTES[code].format(**values), values=values)
