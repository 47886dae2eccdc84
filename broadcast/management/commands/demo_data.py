from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from broadcast.audience import places
from broadcast.demo import ADMINISTRATOR, APPROVER, PASSWORD, SENDER, WRITER, citizens, officers, outlets
from broadcast.demo.citizens import PROVINCE
from broadcast.models import Place


class Command(BaseCommand):
    help = (
        "Nạp dữ liệu minh hoạ: địa bàn Bắc Ninh, người dân hư cấu, cán bộ, đài, tài khoản kênh. Chạy lại không đổi gì."
    )

    def add_arguments(self, parser):
        parser.add_argument("--citizens", type=int, default=20_000, metavar="N", help="số người dân (mặc định 20000)")
        parser.add_argument("--force", action="store_true", help="nạp cả khi đây là trang thật")

    def handle(self, *, citizens: int, force: bool, **options):
        if not 100 <= citizens <= 2_000_000:
            raise CommandError("--citizens phải từ 100 đến 2.000.000.")
        if settings.SECURE and not settings.DEBUG and not force:
            raise CommandError(
                "Đây là trang thật (LOA_URL là https). Dữ liệu minh hoạ có tài khoản quản trị với mật khẩu "
                "ai cũng biết, nên không được nạp. Nếu đây là máy tập huấn, thêm --force."
            )
        with transaction.atomic():
            figures = self.fill(citizens)
        self.stdout.write(", ".join(f"{what}: {number}" for what, number in figures.items()) + ".")
        self.stdout.write(f"Đăng nhập: {WRITER}, {APPROVER}, {SENDER}, {ADMINISTRATOR}; mật khẩu: {PASSWORD}")

    def fill(self, number: int) -> dict[str, int]:
        figures = {"Địa bàn thêm": places.load([PROVINCE]).created}
        province = Place.objects.current().get(code=PROVINCE, kind=Place.Kind.PROVINCE)
        communes = list(Place.objects.current().within(province).exclude(pk=province.pk).filter(depth=2))
        figures["đầu mối"] = outlets.install(province, communes)
        figures["tài khoản kênh"] = outlets.install_accounts(province)
        figures["cán bộ"] = officers.install(province, communes)
        figures["người dân"] = citizens.install(communes, number)
        return figures
