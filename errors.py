"""The errors a user may see: each message is one sentence that says what happened, where, and what to do next."""


class SpectrumError(Exception):
    """Base of everything the program says to a user instead of showing a traceback. Exit code 2."""


class ConfigurationError(SpectrumError):
    """A setting or an option is wrong."""


class InputError(SpectrumError):
    """A file cannot be read as what it was given for; nothing was changed."""


class DatabaseError(SpectrumError):
    """The database cannot be reached, or is not one this version can use."""


class SnapshotError(SpectrumError):
    """There is no snapshot to read, or it is damaged."""


class NotEnoughDataError(SpectrumError):
    """There is too little data for what was asked; the message says what is needed and what was found."""
