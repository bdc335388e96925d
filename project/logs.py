"""Log lines: a fact as the message, its ids behind it; a JSON object per line when no terminal reads them."""

import json
import logging
import sys

_OWN = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class LineFormatter(logging.Formatter):
    """Formats a record for people on a terminal, for machines elsewhere. Never given message text, names or tokens."""

    def format(self, record: logging.LogRecord) -> str:
        extra = {key: value for key, value in record.__dict__.items() if key not in _OWN}
        if sys.stderr.isatty():
            return self._for_people(record, extra)
        line = {"at": self.formatTime(record), "level": record.levelname, "from": record.name}
        line |= {"fact": record.getMessage(), **{key: str(value) for key, value in extra.items()}}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)

    def _for_people(self, record: logging.LogRecord, extra: dict[str, object]) -> str:
        ids = " ".join(f"{key}={value}" for key, value in extra.items() if key not in ("request", "status_code"))
        text = f"{self.formatTime(record, '%H:%M:%S')} {record.levelname.lower()} {record.getMessage()} {ids}".rstrip()
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text
