"""A thousand urgent messages launched in the middle of a bulk run of half a million."""

import statistics
import time

from bench import installation as here
from bench.dispatch import PEOPLE

BULK = 500_000
ROUNDS = 3
BEFORE = 8  # seconds of undisturbed bulk to compare with


def run() -> dict:
    with here.stack("work", "dispatch", "beat") as running, here.sink() as sink, here.sink() as urgent:
        here.people(PEOPLE)
        here.clean()
        here.gateway(sink.url)
        bulk = here.approved(here.communes_for(BULK))
        here.launch(bulk)
        here.wait(lambda: sink.stats()["accepted"] > 20_000, 120, "the bulk run does not start")
        found = [disturb(sink, urgent) for _ in range(ROUNDS)]
        assert here.open_batches(bulk), "the bulk run ended before the urgent messages"
        assert running.starts("dispatch") == 1
    return {
        "first_s": round(statistics.median(result["first_s"] for result in found), 2),
        "p95_s": round(statistics.median(result["p95_s"] for result in found), 2),
        "bulk_loss": round(statistics.median(result["bulk_loss"] for result in found), 2),
        "bulk_msgs_per_s": round(statistics.median(result["rate"] for result in found)),
        "rounds": [{name: round(value, 2) for name, value in result.items()} for result in found],
    }


def disturb(sink: here.Sink, urgent: here.Sink) -> dict:
    """Launch a thousand urgent messages to a gateway of their own settings; both gateways say when they took what."""
    from broadcast.models import Account, Contact, Place, vault  # noqa: F401 - the models are ready by now

    urgent.reset()
    place = village()
    campaign = here.approved([place.pk], lane=0, category="emergency")
    time.sleep(BEFORE)
    before = sink.stats()
    at = time.time()
    here.launch(campaign)
    here.wait(lambda: urgent_sent(campaign) >= 950, 60, "the urgent messages do not go", every=0.02)
    p95 = time.time() - at
    first = here.execute("SELECT min(sent_at) FROM broadcast_delivery WHERE campaign_id = %s", [campaign.pk])[0][0]
    time.sleep(2)
    after = sink.stats()
    seconds = dict(after["seconds"])
    begin = int(at)
    usual = [seconds.get(second, 0) for second in range(begin - BEFORE, begin)]
    meanwhile = [seconds.get(second, 0) for second in range(begin, begin + max(2, int(p95) + 1))]
    rate = statistics.mean(usual)
    assert before["accepted"] < after["accepted"]
    return {
        "first_s": first.timestamp() - at,
        "p95_s": p95,
        "bulk_loss": max(0.0, 1 - statistics.mean(meanwhile) / rate),
        "rate": rate,
    }


def urgent_sent(campaign) -> int:
    return here.execute(
        "SELECT count(*) FROM broadcast_delivery d JOIN broadcast_batch b ON b.id = d.id >> 9 "
        "WHERE b.lane = 0 AND d.campaign_id = %s AND d.status = 2",
        [campaign.pk],
    )[0][0]


def village():
    """A thousand citizens of their own."""
    from datetime import date

    from broadcast.models import Contact, Place, vault

    found = Place.objects.filter(code="URGENT").first()
    if found:
        return found
    unit = {"code": "URGENT", "name": "Xã có bão", "kind": "commune", "valid_from": date(2025, 7, 1)}
    place = Place.objects.add_child(Place.objects.get(code="24"), unit)
    first = Contact.objects.order_by("-pk").values_list("pk", flat=True)[0] + 1
    from broadcast.models import Address

    Contact.objects.bulk_create(
        Contact(pk=first + n, place=place, kind="person", name=f"Trần Thị {n}", folded=f"tran thi {n}")
        for n in range(1000)
    )
    Address.objects.bulk_create(
        Address(contact_id=first + n, kind="phone", value=vault.seal(f"+843{n:08}", "phone")) for n in range(1000)
    )
    return place
