"""The one tree of errors that secad raises for a user's input, settings, models and stores.

Each carries what is wrong with the value seen and what is allowed (``message``), where
(``at``, mostly ``file:line``) and the next step (``hint``); each class has its exit code.

```
SecadError
├── ConfigError        a setting, option or argument            exit 2
├── SourceError        a file or stream that cannot be read     exit 4
├── RecordError        one record inside a source               exit 4
├── SchemaError        a table that lacks what a room needs     exit 4
├── ModelError         a model that is unfitted or damaged      exit 4
├── RuleError          a file under rules/ that is not valid    exit 2
├── StoreError         the event or alert store                 exit 4
│   └── BusyError      a lock is held, safe to try again        exit 75
└── Interrupted        a signal, after a clean checkpoint       exit 130 or 143
```
"""

from __future__ import annotations


class SecadError(Exception):
    """Something that a user can mend; the command line shows it without a traceback.

    Args:
        message: what is wrong, the value seen and what is allowed; lower case, no full stop.
        at: where, mostly ``file:line``.
        hint: the next step, mostly a command.
    """

    exit_code = 4

    def __init__(self, message: str, *, at: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.hint = hint

    def __str__(self) -> str:
        """Returns the message, the place and the next step on one line."""
        where = f" (at {self.at})" if self.at else ""
        step = f"; {self.hint}" if self.hint else ""
        return f"{self.message}{where}{step}"


class ConfigError(SecadError):
    """A setting, an option or an argument is not allowed."""

    exit_code = 2


class SourceError(SecadError):
    """A file or a stream cannot be read at all."""


class RecordError(SecadError):
    """One record of a source cannot be used."""


class SchemaError(SecadError):
    """A table lacks a column, or has it with another type, than the room's door asks for."""


class ModelError(SecadError):
    """A model is unfitted, damaged, or does not fit the data."""


class RuleError(SecadError):
    """A file under ``rules/`` is not valid."""

    exit_code = 2


class StoreError(SecadError):
    """The event store or the alert store is damaged or cannot be used."""


class BusyError(StoreError):
    """Something holds a lock; the same command can succeed later."""

    exit_code = 75


class Interrupted(SecadError):  # noqa: N818 - a stop that was asked for is no error
    """A signal asked the run to stop, and it did so between two steps.

    Args:
        signal_number: the signal; the exit code is 128 more.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__("stopped by a signal, what was done so far is kept")
        self.exit_code = 128 + signal_number
