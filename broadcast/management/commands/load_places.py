from django.core.management.base import BaseCommand, CommandError

from broadcast.audience import places


class Command(BaseCommand):
    help = "Nạp địa bàn hành chính (danh mục từ 01/7/2025 và các đơn vị cũ). Chạy lại không thay đổi gì."

    def add_arguments(self, parser):
        parser.add_argument(
            "--province", nargs="+", metavar="MÃ", default=[], help="mã tỉnh, ví dụ 24; bỏ trống: cả nước"
        )

    def handle(self, *, province, **options):
        try:
            loaded = places.load(province)
        except places.UnknownProvince as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Địa bàn: thêm {loaded.created}, cập nhật {loaded.updated}, liên kết cũ–mới {loaded.linked}."
        )
