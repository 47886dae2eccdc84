import subprocess

import pytest
from django.utils import timezone

from broadcast.models import Account, Delivery, Station
from broadcast.models.accounts import local_token
from broadcast.models.deliveries import MONTH_BITS, ensure_partitions, month_number
from broadcast.states import DeliveryStatus
from broadcast.stations import store


@pytest.fixture
def station(citizen):
    """``station(place)``: a commune's loudspeaker desk, reachable under its code."""

    def make(place, code: str | None = None, **fields) -> Station:
        code = code or f"dai-{place.code}"
        contact = citizen(place, f"Đài truyền thanh {place.name}", "outlet", station=code)
        return Station.objects.create(contact=contact, code=code, **fields)

    return make


@pytest.fixture
def desk(station, communes):
    return station(communes[0])


@pytest.fixture
def mp3(tmp_path, settings):
    """``mp3(seconds, pitch)``: a real MP3 in the store; its SHA-256."""

    def make(seconds: float = 2.0, pitch: int = 440) -> str:
        path = tmp_path / "media" / f"{pitch}-{seconds}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        source = f"sine=frequency={pitch}:duration={seconds}"
        command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-b:a", "64k", str(path)]
        subprocess.run(command, check=True)
        return store.keep(path)

    return make


@pytest.fixture
def loudspeaker(account) -> Account:
    return account("loudspeaker")


@pytest.fixture
def delivery(db, loudspeaker, desk):
    """``delivery()``: a row of the ledger that was handed to the desk; its reference."""
    numbers = iter(range(512))

    def make(status=DeliveryStatus.SENT) -> str:
        today = timezone.now().date()
        ensure_partitions(1, today)
        pk = (month_number(today) << MONTH_BITS) + next(numbers)
        row = Delivery.objects.create(
            id=pk,
            campaign_id=1,
            content_id=1,
            contact_id=desk.contact_id,
            address_id=desk.contact.addresses.get().pk,
            place_id=desk.contact.place_id,
            account_id=loudspeaker.pk,
            status=status,
            provider_id=str(pk),
        )
        return str(row.pk)

    return make


@pytest.fixture
def put(client, loudspeaker, desk):
    token = local_token(loudspeaker)

    def send(reference, data=None, *, station=desk.code, token=token, method="put"):
        headers = {"Authorization": f"Bearer {token}"}
        url = f"/outlets/stations/{station}/clips/{reference}"
        return getattr(client, method)(url, data or {}, content_type="application/json", headers=headers)

    return send


@pytest.fixture
def words(mp3):
    """What the adapter sends for one clip."""
    return {
        "title": "Lịch tiêm phòng bệnh dại",
        "priority": "normal",
        "text": "Bà con đưa chó, mèo đến nhà văn hoá.",
        "audio": {"path": "/etc/passwd", "sha256": mp3(), "seconds": 2.0, "mime": "audio/mpeg"},
        "not_after": None,
    }
