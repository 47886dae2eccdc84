"""Lists of people on their way into the ledger."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .places import Place


class PeopleImport(models.Model):
    """One file. ``rows`` moves in the transaction that stores the rows, so a crash repeats nothing."""

    class Status(models.TextChoices):
        READY = "ready", _("Chờ nạp")
        RUNNING = "running", _("Đang nạp")
        DONE = "done", _("Đã xong")
        CANCELLED = "cancelled", _("Đã huỷ")
        FAILED = "failed", _("Không đọc được")

    place = models.ForeignKey(Place, models.PROTECT, related_name="+", verbose_name=_("đơn vị"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    name = models.CharField(_("tên tệp"), max_length=200)
    path = models.CharField(max_length=300)  # on this machine, outside of what the web serves
    header = models.JSONField(default=list)
    columns = models.JSONField(default=dict)  # "name", "phone", "telegram", "place" -> number of the column
    dry_run = models.BooleanField(_("chạy thử"), default=False)
    status = models.CharField(_("trạng thái"), max_length=10, choices=Status.choices, default=Status.READY)
    reason = models.CharField(max_length=300, blank=True)
    rows = models.IntegerField(default=0)  # read so far, without the header
    added = models.IntegerField(default=0)
    moved = models.IntegerField(default=0)  # known people, now in another place
    same = models.IntegerField(default=0)  # known already, or twice in the file
    bad = models.IntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("lần nạp danh sách")
        verbose_name_plural = _("lần nạp danh sách")


class ImportProblem(models.Model):
    people_import = models.ForeignKey(PeopleImport, models.CASCADE, related_name="problems")
    row = models.IntegerField()  # as the spreadsheet counts, the header being row 1
    reason = models.CharField(max_length=200)

    class Meta:
        indexes = [models.Index(fields=["people_import", "row"], name="import_problem_row")]
