"""``manage.py send_one ADAPTER ADDRESS "text"``: try an account with one message, outside of any campaign."""

import asyncio
import secrets

from django.core.management.base import BaseCommand, CommandError

from broadcast.models import Account
from broadcast.states import AccountStatus
from channels_adapters.core import registry
from channels_adapters.core.http import HttpTransport
from channels_adapters.core.interface import Content, Message, Outcome, Recipient


class Command(BaseCommand):
    help = "Gửi một tin để thử một tài khoản kênh."

    def add_arguments(self, parser):
        parser.add_argument("adapter", help="tên kênh, ví dụ sms_twilio")
        parser.add_argument("address", help="địa chỉ nhận, như khi gõ vào danh bạ")
        parser.add_argument("text", help="lời tin")
        parser.add_argument("--account", type=int, help="mã tài khoản, khi kênh có nhiều tài khoản")
        parser.add_argument("--subject", default="", help="tiêu đề, với kênh cần tiêu đề")

    def handle(self, *args, adapter: str, address: str, text: str, account: int | None, subject: str, **options):
        if adapter not in registry.names():
            raise CommandError(f"Không có kênh «{adapter}». Các kênh: {', '.join(registry.names())}.")
        found = _account(adapter, account)
        outcome, parts = asyncio.run(_send(found, address, Content(text, subject=subject)))
        where = "hộp cát" if found.sandbox else "thật"
        if outcome.next is None:
            named = f", mã {outcome.provider_id}" if outcome.provider_id else ""
            self.stdout.write(f"{found.label} ({where}): đã nhận{named}, {parts} phần, {outcome.cost} đồng.")
            return
        raise CommandError(
            f"{found.label} ({where}): {outcome.next.value}, lý do {outcome.reason}, mã «{outcome.code}». "
            f"{outcome.detail}"
        )


def _account(adapter: str, pk: int | None) -> Account:
    accounts = Account.objects.filter(adapter=adapter, status=AccountStatus.ACTIVE).order_by("pk")
    found = list(accounts.filter(pk=pk) if pk else accounts)
    if not found:
        raise CommandError(f"Kênh {adapter} chưa có tài khoản nào đang hoạt động.")
    if len(found) > 1:
        listed = ", ".join(f"{account.pk} ({account.label})" for account in found)
        raise CommandError(f"Kênh {adapter} có nhiều tài khoản, hãy chọn bằng --account: {listed}.")
    return found[0]


async def _send(account: Account, address: str, content: Content) -> tuple[Outcome, int]:
    """Send it in as many requests as the channel needs; the first outcome that is not an acceptance, or the last."""
    async with HttpTransport() as transport:
        adapter = account.build(transport)
        # Longer than any delivery id, so that a receipt of this message finds none.
        reference = str(10**18 + secrets.randbelow(10**18))
        try:
            canonical = adapter.validate(address)
            rendered = adapter.render(content, Recipient(reference, canonical))
        except ValueError as error:
            raise CommandError(str(error)) from None
        callback = f"{account.callback_base}?r={reference}"
        for piece in adapter.split(rendered):
            (outcome,) = await adapter.send([Message(reference, canonical, piece, callback)])
            if outcome.next is not None:
                break
        return outcome, adapter.estimate(rendered).parts
