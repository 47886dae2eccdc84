"""Contents and campaigns are closed when their work is done, and not before."""

import pytest
from django.db import connection
from django.utils import timezone

from broadcast.delivery import sweeper
from broadcast.models import Batch, Campaign, Content
from broadcast.states import BatchStatus, CampaignStatus, ContentStatus


@pytest.fixture
def content(province, officer):
    campaign = Campaign.objects.create(
        place=province, created_by=officer("writer"), title="Thử", status=CampaignStatus.RUNNING
    )
    return Content.objects.create(
        campaign=campaign, channel="sms_twilio", body="Thử", status=ContentStatus.RUNNING
    )  # fmt: skip


def queue(content: Content, status: BatchStatus) -> Batch:
    return Batch.objects.create(
        id=1, content_id=content.pk, lane=content.campaign.lane, status=status, size=1, due_at=timezone.now(), worker=""
    )


def states(content: Content) -> tuple[str, str]:
    content.refresh_from_db()
    content.campaign.refresh_from_db()
    return content.status, content.campaign.status


@pytest.mark.parametrize("status", [BatchStatus.READY, BatchStatus.LEASED])
def test_a_content_with_batches_to_send_stays_open(content, status):
    queue(content, status)
    sweeper.finish()
    assert states(content) == (ContentStatus.RUNNING, CampaignStatus.RUNNING)


def test_the_last_batch_done_closes_the_content_and_its_campaign(content):
    queue(content, BatchStatus.DONE)
    sweeper.finish()
    assert states(content) == (ContentStatus.FINISHED, CampaignStatus.FINISHED)
    assert content.campaign.finished_at is not None


def test_an_expansion_committed_between_two_statements_is_not_closed(content):
    """Else its recipients would wait for ever in a campaign that calls itself finished."""
    Content.objects.filter(pk=content.pk).update(status=ContentStatus.EXPANDING)
    statements = 0

    def expand_after_the_first(execute, sql, params, many, context):
        nonlocal statements
        result = execute(sql, params, many, context)
        statements += 1
        if statements == 1:
            Content.objects.filter(pk=content.pk).update(status=ContentStatus.RUNNING)
            queue(content, BatchStatus.READY)
        return result

    with connection.execute_wrapper(expand_after_the_first):
        sweeper.finish()
    assert states(content) == (ContentStatus.RUNNING, CampaignStatus.RUNNING)
