"""The child: reads mails from its standard input and answers on its standard output, until the input ends.

A request is a line of JSON {"do", "size", "path"} and then `size` bytes; an answer is a line {"ok", "size"} and then
`size` bytes. Its memory is limited here, its time by whoever asks.
"""

import json
import resource
import sys
from typing import BinaryIO

from channels_adapters.mailreading import reading


def main(memory: int) -> None:
    """`memory`: bytes of address space."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    _say(answers, "", b"")  # ready: its own start counts against no mail
    while line := requests.readline():
        asked = json.loads(line)
        _say(answers, *_answer(asked, requests.read(asked["size"])))


def _answer(asked: dict[str, str], raw: bytes) -> tuple[str, bytes]:
    try:
        if asked["do"] == "part":
            data = reading.part(raw, asked["path"])
            return ("", data) if data is not None else ("there is no such file in this mail", b"")
        read = reading.read_head if asked["do"] == "head" else reading.read
        return "", json.dumps(read(raw).as_json()).encode("utf-8", "replace")
    except MemoryError:
        return "it needs too much memory", b""
    except RecursionError:
        return "it is nested too deeply", b""
    except Exception as error:  # noqa: BLE001  whatever a mail does to the library: the one who asked says so
        return f"{type(error).__name__} while reading it", b""


def _say(answers: BinaryIO, problem: str, data: bytes) -> None:
    answers.write(json.dumps({"problem": problem, "size": len(data)}).encode() + b"\n" + data)
    answers.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
