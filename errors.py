"""The errors a user may see: each message is one sentence that says what happened, where, and what to do next."""

from unicodedata import category


class SpectrumError(Exception):
    """Base of everything the program says to a user instead of showing a traceback. Exit code 2."""


class ConfigurationError(SpectrumError):
    """A setting or an option is wrong."""


class RightError(SpectrumError):
    """Who asks may not do this."""


class InputError(SpectrumError):
    """A file cannot be read as what it was given for; nothing was changed."""


class DatabaseError(SpectrumError):
    """The database cannot be reached, or is not one this version can use."""


class SnapshotError(SpectrumError):
    """There is no snapshot to read, or it is damaged."""


class WholeShopError(SnapshotError):
    """What was asked for is counted over the whole shop, and whoever asks sees a part of it."""


class ChangedResultsError(SnapshotError):
    """The results of a run are not those that were published."""

    def __init__(self, run_id: int, message: str) -> None:
        super().__init__(message)
        self.run_id = run_id


class ModelError(SpectrumError):
    """A model cannot cope with the data; its run is refused, and what was published stays."""


class ReportError(SpectrumError):
    """A report could not be printed; no file was written."""


class RefreshError(SpectrumError):
    """A scheduled refresh failed or could not begin; what is published stays."""


class NotEnoughDataError(SpectrumError):
    """There is too little data for what was asked; the message says what is needed and what was found."""


def one_line(text: str) -> str:
    """The text in one harmless line: a line end or an escape character in a name shows as one would type it."""
    return "".join(sign if sign.isprintable() or category(sign) == "Zs" else ascii(sign)[1:-1] for sign in text)
