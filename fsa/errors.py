"""Errors that FSA raises: each message is one sentence, with what was expected and found."""

from fsa.diagnostics import Diagnostic


def reason_of(error: Exception) -> str:
    """Return why a file could not be read or written: what the system says, without the path."""
    return getattr(error, "strerror", None) or str(error)


class FsaError(Exception):
    """Base of all errors that a user of FSA can cause; tools print its text and no traceback."""


class InputError(FsaError):
    """A file, text or argument is not what the tool or function takes."""


class VerificationError(FsaError):
    """A module does not verify; the text holds every diagnostic with its location."""


class PassFailure(FsaError):
    """A pass failed.

    `reproducer` is the path of a file with the IR before the pass and `command` the command that
    runs the pass on it (None when none was written); `diagnostics` holds what was reported.
    """

    def __init__(
        self,
        message: str,
        *,
        pass_name: str,
        reproducer: str | None = None,
        command: str | None = None,
        diagnostics: tuple[Diagnostic, ...] = (),
    ):
        super().__init__(message)
        self.pass_name = pass_name
        self.reproducer = reproducer
        self.command = command
        self.diagnostics = diagnostics


class TargetError(FsaError):
    """A target is unknown, or cannot do what a module needs."""


class CompileError(FsaError):
    """IREE refused a module.

    The text holds the first line of what IREE said, `diagnostics` all of it.
    """

    def __init__(self, message: str, diagnostics: tuple[str, ...] = ()):
        super().__init__(message)
        self.diagnostics = diagnostics


class DeviceUnavailable(FsaError):
    """No device of the wanted kind can be opened; the text lists the devices that can."""


class CallError(FsaError):
    """A function was called with the wrong arguments."""


class CacheWarning(UserWarning):
    """The compile cache cannot be used; compiling goes on without it."""


class FallbackWarning(UserWarning):
    """Something runs without FSA; the text says what and why."""
