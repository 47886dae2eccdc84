"""How stations read local names: entries of the commune before those of the province."""

import io
import wave

import pytest
from django.core.exceptions import ValidationError

from broadcast.models import AuditEntry, Reading
from broadcast.stations import lexicon


@pytest.fixture
def operator(officer, communes):
    return officer("operator", communes[0])


def test_the_nearest_place_wins(operator, province, communes):
    lexicon.save(operator, province, "NVH", "nhà văn hoá")
    lexicon.save(operator, communes[0], "NVH", "nhà văn hoá thôn")
    assert "nhà văn hoá thôn" in lexicon.speak(communes[0], "Họp tại NVH").text
    assert lexicon.speak(communes[1], "Họp tại NVH").text.rstrip(".").endswith("nhà văn hoá")


def test_saving_again_changes_the_entry(operator, communes):
    lexicon.save(operator, communes[0], "QL31", "quốc lộ ba mốt")
    lexicon.save(operator, communes[0], " QL31 ", "Quốc lộ  ba mươi mốt")
    assert Reading.objects.get().spoken == "quốc lộ ba mươi mốt"
    assert AuditEntry.objects.filter(action="reading.save").count() == 2


@pytest.mark.parametrize(
    ("written", "spoken"),
    [("", "a"), ("-x", "a"), ("x" * 61, "a"), ("NVH", ""), ("NVH", "nhà 2"), ("NVH", "a & b"), ("NVH", "x" * 121)],
)
def test_bad_entries_get_a_sentence(operator, communes, written, spoken):
    with pytest.raises(ValidationError):
        lexicon.save(operator, communes[0], written, spoken)
    assert not Reading.objects.exists()


def test_the_page_tries_hears_and_corrects(client, operator, desk, officer, communes):
    client.force_login(operator)
    page = client.get("/loa/cach-doc/?thu=Họp tại NVH").content.decode()
    assert "/loa/cach-doc/nghe.wav" in page
    page = client.post("/loa/cach-doc/", {"written": "NVH", "spoken": "nhà 2"}).content.decode()
    assert "không có số và ký hiệu" in page and 'value="NVH"' in page
    page = client.post("/loa/cach-doc/", {"written": "NVH", "spoken": "nhà văn hoá"}, follow=True).content.decode()
    assert "Từ nay «NVH» đọc là «nhà văn hoá»" in page
    assert "nhà văn hoá" in client.get("/loa/cach-doc/?thu=Họp tại NVH").content.decode()
    heard = client.get("/loa/cach-doc/nghe.wav?thu=Họp tại NVH")
    with wave.open(io.BytesIO(heard.content)) as sound:
        assert sound.getnframes() / sound.getframerate() > 0.5
    assert client.get("/loa/cach-doc/nghe.wav?thu=!!!").status_code == 404
    entry = Reading.objects.get()
    client.force_login(officer("operator", communes[1]))
    assert client.post(f"/loa/cach-doc/{entry.pk}/bo/").status_code == 404
    client.force_login(operator)
    client.post(f"/loa/cach-doc/{entry.pk}/bo/")
    assert not Reading.objects.exists()
