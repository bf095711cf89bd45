"""Every error Sfumato raises on purpose, and the exit code it means on the command line.

    SfumatoError            1
    ├── UserError           2   something the user can put right
    │   ├── PictureError        a picture cannot be read or written
    │   ├── DataError           a folder or data set cannot be used
    │   ├── RecipeError         a recipe or an override is wrong
    │   ├── OptionError         an option's value is wrong
    │   └── WeightsError        a model file is missing, foreign or damaged
    ├── FailedError         1   the machine or the run failed
    │   ├── TrainingDiverged    a loss or a weight is no longer finite
    │   ├── DownloadError       the network failed or the file is not what was promised
    │   └── DiskError           the disk is full or not writable
    └── Cancelled         130   the user stopped it

Each message is one line: what is wrong, with the offending value, and what to do about it.
"""


class SfumatoError(Exception):
    """The root of all errors below."""

    exit_code = 1


class UserError(SfumatoError):
    """Something the user can put right."""

    exit_code = 2


class PictureError(UserError):
    """A picture cannot be read or written.

    Args:
        message: one line.
        kind: what is wrong with its file, for those who say it in words of their own: `empty`, `damaged`, `unknown`, or
            of those that are not read `heic` and, where it is not, `tiff`; of all else nothing.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class DataError(UserError):
    """A folder or a data set cannot be used."""


class RecipeError(UserError):
    """A recipe or an override is wrong."""


class OptionError(UserError):
    """An option's value is wrong."""


class WeightsError(UserError):
    """A model file is missing, foreign or damaged."""


class FailedError(SfumatoError):
    """The machine or the run failed."""


class TrainingDiverged(FailedError):
    """A loss or a weight is no longer finite."""


class DownloadError(FailedError):
    """The network failed, or the file is not what was promised."""


class ExportError(FailedError):
    """Another program makes other pictures of a model."""


class DiskError(FailedError):
    """The disk is full or not writable."""


class Cancelled(SfumatoError):
    """The user stopped the work.

    What goes on where it stopped raises it for Ctrl-C, too, so that it can say how far it came: a loop that passes over
    each SfumatoError must let this one through.
    """

    exit_code = 130
