"""Voices: anything that turns one spoken sentence into sound.

    open_voice("espeak")                      the embedded machine voice
    open_voice("piper:/srv/voices/X.onnx")    a natural voice from a file the operator supplies
    open_voice("fpt:banmai", keys)            a cloud voice: fpt, google, azure

A person's recording is no Voice (it speaks no other sentence): see :mod:`audio.voices.recording`.
"""

from .base import Voice
from .registry import KINDS, VoiceKind, open_voice

__all__ = ["KINDS", "Voice", "VoiceKind", "open_voice"]
