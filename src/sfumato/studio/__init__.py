"""The studio: Sfumato in a browser, on this computer.

    serving    the address, the browser, the end        guard      who may ask what
    app        one application of all routes             schema     bodies, answers and events, each said once
    store      sessions on the disk                      engine     the queue, and the process that does heavy work

Nothing here knows pictures: what is done with them is done by the functions that the command line calls, too.
"""
