"""``manage.py smpp_link ACCOUNT``: hold the SMPP connection of one account until told to stop."""

import asyncio
import logging
import signal
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError

from broadcast.models import Account
from channels_adapters.core.http import HttpTransport
from channels_adapters.core.options import is_on, whole
from channels_adapters.core.smpp_link import Config, running
from channels_adapters.sms_smpp import SHORTEST_TOKEN


class Command(BaseCommand):
    help = "Giữ kết nối SMPP của một tài khoản cho tới khi được bảo dừng."

    def add_arguments(self, parser):
        parser.add_argument("account", type=int, help="mã của tài khoản")

    def handle(self, *args, account: int, **options):
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        found = Account.objects.filter(pk=account, adapter="sms_smpp").first()
        if found is None:
            raise CommandError(f"Không có tài khoản SMPP số {account}.")
        if found.sandbox:
            raise CommandError("Tài khoản hộp cát không cần tiến trình kết nối.")
        config, host, port = _config(found)
        try:
            asyncio.run(self._run(config, host, port))
        except OSError as error:
            raise CommandError(f"Không mở được địa chỉ {host}:{port}: {error.strerror}.") from None

    async def _run(self, config: Config, host: str, port: int) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with HttpTransport() as transport, running(config, transport, host, port) as (_link, url):
            self.stdout.write(f"smpp_link: {url}")
            self.stdout.flush()
            await stop.wait()


def _config(account: Account) -> tuple[Config, str, int]:
    """The connection's settings and where to listen. Raises CommandError with a sentence."""
    fields = {field.name: field.default for field in account.adapter_class.capabilities.fields}
    values = {name: account.settings.get(name) or default for name, default in fields.items()}
    if len(values["link_token"]) < SHORTEST_TOKEN:
        raise CommandError(f"Mã nội bộ phải dài từ {SHORTEST_TOKEN} ký tự.")
    if not (values["host"] and values["system_id"]):
        raise CommandError("Tài khoản chưa có máy chủ SMPP hoặc System ID.")
    try:
        address = urlsplit(values["link_url"])
        listen = address.port or 8790
        config = Config(
            host=values["host"],
            port=whole(values["port"], "Cổng"),
            system_id=values["system_id"],
            password=values["password"],
            token=values["link_token"],
            callback=account.callback_base,
            tls=is_on(values["tls"]),
            system_type=values["system_type"],
            window=whole(values["window"], "Số tin chờ trả lời cùng lúc"),
            per_second=float(whole(values["per_second"], "Số phần tin mỗi giây")),
        )
    except ValueError as error:
        raise CommandError(str(error)) from None
    return config, address.hostname or "127.0.0.1", listen
