"""A voice in a child process: a native engine that crashes takes the child along, not the worker.

Frames both ways, little-endian: the request is ``<If`` (bytes of text, rate) and UTF-8 text; the answer is ``<BII``
(1 = sound, 0 = refused; sample rate; bytes) and 16-bit samples or the engine's words. The child ends when its standard
input closes, so it never outlives its worker.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ..errors import VoiceError
from ..pcm import PCM
from .base import Voice

REQUEST = struct.Struct("<If")
ANSWER = struct.Struct("<BII")
_ROOT = Path(__file__).resolve().parents[2]  # the child imports this package wherever its worker was started
TIMEOUT = 120.0  # seconds for one sentence, loading included


class ChildVoice(Voice):
    """Starts ``command`` when first used; a crash costs one restart, a second crash is reported."""

    command: list[str]

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._turn = threading.Lock()

    def synthesise(self, sentence: str, rate: float = 1.0) -> PCM:
        with self._turn:
            for last in (False, True):
                try:
                    return self._ask(sentence, rate)
                except (OSError, EOFError) as error:
                    self._end()
                    if last:
                        raise VoiceError(f"Giọng đọc «{self.label}» gặp lỗi khi đọc. Hãy thử lại hoặc chọn giọng khác.",
                                         passing=True) from error  # fmt: skip
        raise AssertionError("unreachable")

    def _ask(self, sentence: str, rate: float) -> PCM:
        process = self._started()
        assert process.stdin is not None and process.stdout is not None
        text = sentence.encode()
        timer = threading.Timer(TIMEOUT, process.kill)
        timer.start()
        try:
            process.stdin.write(REQUEST.pack(len(text), rate) + text)
            process.stdin.flush()
            good, samples, size = ANSWER.unpack(_exactly(process.stdout, ANSWER.size))
            data = _exactly(process.stdout, size)
        finally:
            timer.cancel()
        if not good:
            raise VoiceError(f"Giọng đọc «{self.label}» không dùng được: {data.decode('utf-8', 'replace')[:200]}")
        return PCM(samples, data)

    def _started(self) -> subprocess.Popen[bytes]:
        # After a fork the pipe would be shared with the parent: two workers' sentences would mix.
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            self._owner = os.getpid()
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def close(self) -> None:
        with self._turn:
            self._end()

    def __del__(self) -> None:
        self._end()


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = stream.read(size - len(data))
        if not piece:
            raise EOFError("the voice's process ended")
        data += piece
    return bytes(data)


def serve(speak: Callable[[str, float], tuple[int, bytes]]) -> None:
    """The child's side: answer sentences until standard input closes. A ValueError is told to the worker."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever an engine prints must not get into the answers
    while True:
        head = requests.read(REQUEST.size)
        if len(head) < REQUEST.size:
            return
        size, rate = REQUEST.unpack(head)
        text = requests.read(size).decode()
        try:
            samples, data = speak(text, rate)
            answer = ANSWER.pack(1, samples, len(data)) + data
        except ValueError as error:
            words = str(error).encode()
            answer = ANSWER.pack(0, 0, len(words)) + words
        answers.write(answer)
        answers.flush()
