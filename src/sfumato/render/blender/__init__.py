"""Blender as a helper, always in a process of its own: it reads files that only it reads, and draws lines.

    found    which Blender there is
    process  one that runs, and messages to it
    files    characters and motions that it reads, as glTF in the cache
    client   the one that draws for this process
    engine   its strokes in place of the native engine's

What is in `inside` runs there, and knows nothing of Sfumato.
"""
