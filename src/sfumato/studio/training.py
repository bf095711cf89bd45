"""Trainings to look at: their logs while they grow, plots, samples and reports. Nothing of them can be changed here."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.responses import Response

from . import schema as s
from . import sending
from .operations import EVENTS, WORK, Call, Operation, Query
from .problems import Refusal
from .store import gone

LOOK_S = 2.0
"""Seconds between two looks at a log that somebody listens to."""
REPORT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-same-origin"
)
"""What a report may do: be looked at."""


async def listed(call: Call) -> list[s.Run]:
    """The runs there are; their folders are remembered."""
    folder = call.studio.settings.runs
    if folder is None:
        return []
    values, _ = await call.studio.engine.quick.call("runs", {"folder": str(folder)})
    call.studio.runs = {run: Path(path) for run, path in values["folders"].items()}
    return [s.Run(**run) for run in values["runs"]]


async def found(call: Call) -> Path:
    """The folder of the run that the path names: one of a list that was made here.

    Raises:
        Refusal: there is none.
    """
    if call.id not in call.studio.runs:
        await listed(call)
    if call.id not in call.studio.runs:
        raise gone("run")
    return call.studio.runs[call.id]


async def runs(call: Call) -> s.Runs:
    """The runs there are."""
    return s.Runs(runs=tuple(await listed(call)), folder=call.studio.settings.runs is not None)


async def run(call: Call) -> s.Run:
    """One of them."""
    for one in await listed(call):
        if one.id == call.id:
            return one
    raise gone("run")


async def lines(call: Call, folder: Path, after: int) -> s.RunLog:
    """Lines of a log without the first `after`."""
    values, _ = await call.studio.engine.quick.call("run_log", {"folder": str(folder), "after": after})
    return s.RunLog(lines=tuple(values["lines"]), next=after + len(values["lines"]))


async def run_log(call: Call) -> s.RunLog:
    """Lines of a run's log."""
    return await lines(call, await found(call), call.number("after"))


async def run_events(call: Call) -> Response:
    """A run's log while it grows."""
    last = call.request.headers.get("last-event-id", "0")
    after = int(last) if last.isascii() and last.isdecimal() and len(last) < 12 else 0
    return sending.stream(growing(call, await found(call), after))


async def growing(call: Call, folder: Path, after: int) -> AsyncIterator[str]:
    """Events of a log, until the studio ends or nobody listens."""
    yield "retry: 2000\n\n"
    closing = call.studio.engine.closing
    while not closing.is_set():
        try:
            news = await lines(call, folder, after)
        except Refusal as error:
            yield sending.frame(after, "error", error.problem)
            return
        yield sending.frame(news.next, "lines", news) if news.lines else ": \n\n"
        after = news.next
        try:
            await asyncio.wait_for(closing.wait(), LOOK_S)
        except TimeoutError:
            continue


async def run_plot(call: Call) -> Response:
    """The plot of a run's losses."""
    return sending.file(await found(call) / "losses.png")


async def run_sample(call: Call) -> Response:
    """Samples of a run after so many images."""
    folder, wanted = await found(call) / "samples", call.request.path_params["images"]
    for path in folder.glob("*.jpg"):
        if path.stem.isdecimal() and int(path.stem) == wanted:
            return sending.file(path)
    raise gone("sample")


async def run_report(call: Call) -> Response:
    """A run's report."""
    headers = {"content-security-policy": REPORT_POLICY}
    return sending.file(await found(call) / "report.html", headers)


OPERATIONS = (
    Operation(
        handler=runs,
        method="GET",
        path="/api/runs",
        answer=s.Runs,
        errors=WORK,
        about="Trainings in the folder that `--runs` names; the one that changed last comes first.",
    ),
    Operation(
        handler=run,
        method="GET",
        path="/api/runs/{id}",
        answer=s.Run,
        errors=("not_found", *WORK),
        about="One of them.",
    ),
    Operation(
        handler=run_log,
        method="GET",
        path="/api/runs/{id}/log",
        answer=s.RunLog,
        errors=("not_found", *WORK),
        query=(Query(name="after", kind="integer", about="Leave out so many lines (default 0)."),),
        about="Lines of its log: images, seconds, images_per_s, data_share, lr/GROUP, GROUP/LOSS, MODEL/FIGURE.",
    ),
    Operation(
        handler=run_events,
        method="GET",
        path="/api/runs/{id}/events",
        answer=(EVENTS,),
        events={"lines": s.RunLog, "error": s.Problem},
        errors=("not_found", *WORK),
        about="Its log while it grows; resumable by Last-Event-ID, which is `next`.",
    ),
    Operation(
        handler=run_plot,
        method="GET",
        path="/api/runs/{id}/losses.png",
        answer=("image/png",),
        errors=("not_found", *WORK),
        about="The plot of its losses.",
    ),
    Operation(
        handler=run_sample,
        method="GET",
        path="/api/runs/{id}/samples/{images:int}",
        answer=("image/jpeg",),
        errors=("not_found", *WORK),
        about="Sample pictures after so many images.",
    ),
    Operation(
        handler=run_report,
        method="GET",
        path="/api/runs/{id}/report",
        answer=("text/html",),
        errors=("not_found", *WORK),
        about="Its report, for an iframe: no script of it runs, and it can ask for nothing.",
    ),
)
