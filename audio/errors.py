"""What can be wrong with sound. Every message is a Vietnamese sentence for the person who must act.

AudioError (ValueError)
  BadRecording   an uploaded file that cannot be used
  BadScript      a bulletin that cannot be read aloud
  VoiceError     a voice that cannot speak now: not installed, file wrong, key refused, provider down
"""


class AudioError(ValueError):
    pass


class BadRecording(AudioError):
    pass


class BadScript(AudioError):
    pass


class VoiceError(AudioError):
    """``passing``: worth trying again later (the provider was busy or not reachable)."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing
