"""The demonstration's campaign: one article through four channels."""

from collections.abc import Iterable

from django.conf import settings
from django.db import connection

from broadcast.audience.selection import OUTLET, USABLE
from broadcast.campaigns import compose
from broadcast.models import Campaign, Place, User

from . import texts
from .citizens import HOME, PROVINCE

# Deliveries to persons in each commune: a count of addresses, near enough to choose communes by.
_PERSON_DELIVERIES = f"""
SELECT c.place_id, count(DISTINCT (a.kind, a.value))
FROM broadcast_contact c JOIN broadcast_address a ON a.contact_id = c.id
WHERE c.kind <> {OUTLET} AND a.kind IN ('phone', 'telegram') AND a.state IN ({USABLE})
GROUP BY c.place_id
"""


def demo_campaign(author: User, places: Iterable[Place] | None = None, recipients: int = 2000) -> Campaign:
    """A draft with a content for each of the four channels.

    Without ``places``, communes are chosen until about ``recipients`` messages go to persons (SMS and Telegram);
    the loudspeakers are those of the same communes and the news page is the province's.
    """
    province = Place.objects.current().get(code=PROVINCE, kind=Place.Kind.PROVINCE)
    chosen = list(places) if places is not None else choose(province, recipients)
    campaign = compose.create(author, place=province, title=texts.TITLE, source=texts.article())
    return compose.save(
        author,
        campaign.pk,
        campaign.revision,
        places=[place.pk for place in chosen],
        contents={
            "sms_twilio": {"body": texts.SMS},
            "telegram": {"body": texts.TELEGRAM.format(link=f"{settings.LOA_URL}/tin/").strip()},
            "enews_site": {"subject": texts.TITLE, "summary": texts.SUMMARY, "body": texts.article()},
            "loudspeaker": {"subject": texts.TITLE, "body": texts.BULLETIN.strip()},
        },
    )


def choose(province: Place, recipients: int) -> list[Place]:
    """Communes with about so many person deliveries in all, the demonstration's home first; never none."""
    with connection.cursor() as cursor:
        cursor.execute(_PERSON_DELIVERIES)
        deliveries = dict(cursor.fetchall())
    communes = sorted(
        Place.objects.current().within(province).filter(pk__in=deliveries),
        key=lambda place: (place.code != HOME, -deliveries[place.pk], place.code),
    )
    if recipients >= sum(deliveries[place.pk] for place in communes):
        return [province]
    chosen, left = communes[:1], recipients - sum(deliveries[place.pk] for place in communes[:1])
    for place in communes[1:]:
        if deliveries[place.pk] <= left:
            chosen.append(place)
            left -= deliveries[place.pk]
    return chosen
