"""The reference most would write: one Celery task for each recipient, with the ORM and a kept-alive HTTP session."""

import requests
from django.utils import timezone

from broadcast.delivery import personal
from broadcast.models import Address, Content, Delivery
from broadcast.states import DeliveryStatus
from config.celery import app

session = requests.Session()


@app.task(queue="reference", ignore_result=True)
def send_one(delivery_id: int, url: str) -> None:
    delivery = Delivery.objects.get(pk=delivery_id)
    if delivery.status != DeliveryStatus.PENDING:
        return
    address = Address.objects.select_related("contact__place").get(pk=delivery.address_id)
    content = Content.objects.select_related("campaign").get(pk=delivery.content_id)
    text = personal.fill(content.body, personal.values_for(address.contact.name, address.contact.place.name))
    message = {"reference": str(delivery.pk), "to": address.plain, "text": text}
    reply = session.post(f"{url}/messages", json={"messages": [message], "callback": ""}, timeout=30)
    delivery.status = DeliveryStatus.SENT
    delivery.provider_id = reply.json()["messages"][0]["id"]
    delivery.attempts += 1
    delivery.sent_at = timezone.now()
    delivery.save()
