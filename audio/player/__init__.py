"""The reference player: an old computer or a Raspberry Pi becomes a commune's loudspeaker.

    python -m audio.player --device lucnam-01 --host broker.example.vn --password-file key --folder /var/lib/loa-player

It fetches clips ahead, plays by its own clock when the network is gone, obeys commands over MQTT and reports the
seconds it played. The wire is described in ``docs/device-protocol.md``.
"""
