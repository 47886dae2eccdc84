"""Launch the demonstration campaign, watch it to its end and print what became of every message."""

import json
import os
import sys
import time
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from broadcast import tasks
from broadcast.campaigns import approve, launch
from broadcast.delivery.progress import Figures, Snapshot, snapshot
from broadcast.demo import APPROVER, PASSWORD, SENDER, WRITER, demo_campaign
from broadcast.models import Article, Bulletin, Campaign, User
from broadcast.web.words import REASONS

PATIENCE = 600  # seconds until the run counts as stuck
RECEIPTS_PATIENCE = 60  # seconds to wait for the last receipts once everything has gone out


class Command(BaseCommand):
    help = "Launch the demonstration campaign and watch it."

    def add_arguments(self, parser):
        parser.add_argument("--recipients", type=int, default=2000)
        parser.add_argument("--json", action="store_true", help="print the figures on standard output")

    def handle(self, *, recipients, **options):
        if not 1 <= recipients <= 20_000:
            raise CommandError("--recipients runs from 1 to 20000")
        translation.activate("vi")
        started = time.monotonic()
        campaign = self.prepare(recipients)
        found = self.watch(campaign)
        seconds = time.monotonic() - started
        self.report(found, seconds)
        result = {
            "channels": {c.channel: _counts(c.figures) for c in found.by_channel},
            "seconds": {"run": round(seconds, 1)},
            "campaign": campaign.pk,
        }
        if path := os.environ.get("LOA_DEMO_RESULT"):
            Path(path).write_text(json.dumps(result), encoding="utf-8")
        if options["json"]:
            self.stdout.write(json.dumps(result))
        if not self.final(found):
            raise CommandError("Chưa phải mọi tin đều có kết quả cuối cùng.")

    def prepare(self, recipients: int) -> Campaign:
        writer, approver, sender = (User.objects.get(username=name) for name in (WRITER, APPROVER, SENDER))
        campaign = demo_campaign(writer, recipients=recipients)
        approve.submit(writer, campaign.pk, campaign.revision)
        approve.approve(approver, campaign.pk, campaign.revision)
        launch.send_now(sender, campaign.pk)
        tasks.nudge()
        return campaign

    def watch(self, campaign: Campaign) -> Snapshot:
        begun = time.monotonic()
        quiet_since = None
        while True:
            campaign.refresh_from_db()
            found = snapshot(campaign)
            self.bar(found, time.monotonic() - begun)
            now = time.monotonic()
            if self.final(found) or now - begun > PATIENCE:
                break
            if found.done:
                quiet_since = quiet_since or now
                if now - quiet_since > RECEIPTS_PATIENCE:
                    break
            else:
                quiet_since = None
            time.sleep(0.3)
        sys.stderr.write("\n")
        return found

    def final(self, found: Snapshot) -> bool:
        """Every delivery has reached the last state its channel can tell."""
        waiting = sum(c.figures.sent for c in found.by_channel if c.channel.startswith("sms_"))
        return found.done and not found.figures.under_way and not found.figures.unsure and not waiting

    def bar(self, found: Snapshot, seconds: float) -> None:
        figures, width = found.figures, 32
        done = figures.total - figures.under_way
        filled = width * done // max(1, figures.total)
        sys.stderr.write(
            f"\r  {'█' * filled}{'░' * (width - filled)} {done:>6,}/{figures.total:,} tin, "
            f"đã đến {figures.reached:,}, không được {figures.failed:,}, {seconds:4.0f} s ".replace(",", ".")
        )
        sys.stderr.flush()

    def report(self, found: Snapshot, seconds: float) -> None:
        out = sys.stderr
        head = ("Kênh", "Người nhận", "Đã gửi", "Đã đến", "Không được", "Chưa chắc", "Chờ")
        out.write("\n  {:<26}{:>11}{:>9}{:>9}{:>12}{:>11}{:>6}\n".format(*head))
        for channel in found.by_channel:
            f = channel.figures
            reached = f"{f.reached:,}" if f.reached or channel.channel.startswith("sms_") else "–"
            row = (f"{f.total:,}", f"{f.gone_out:,}", reached, f"{f.failed:,}", f"{f.unsure:,}", f"{f.under_way:,}")
            line = "  {:<26}{:>11}{:>9}{:>9}{:>12}{:>11}{:>6}\n".format(channel.label[:25], *row)
            out.write(line.replace(",", "."))
            for reason, n in sorted(channel.reasons.items(), key=lambda item: -item[1]):
                out.write(f"      {n:>6}  {REASONS[reason].what}\n")
        clips = Bulletin.objects.filter(content__campaign=found.campaign_id).count()
        articles = Article.objects.public().count()
        out.write(f"\n  {clips} bản tin loa đã làm, {articles} bài trên trang tin, {seconds:.1f} giây.\n")
        out.write(f"  Đăng nhập thử: {WRITER}, {APPROVER}, {SENDER} – mật khẩu {PASSWORD}\n")


def _counts(f: Figures) -> dict[str, int]:
    return {
        "recipients": f.total,
        "sent": f.gone_out,
        "delivered": f.reached,
        "failed": f.failed + f.cancelled + f.expired,
        "unsure": f.unsure,
        "pending": f.under_way,
    }
