"""Vietnamese and English, both whole."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from broadcast.management.commands import messages

VIETNAMESE = re.compile("[ăâđêôơưạảãáàặằắẳẵấầẩẫậếềểễệéèẻẽẹíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ]", re.IGNORECASE)


def test_no_text_is_untranslated_and_the_catalogue_is_compiled():
    call_command("messages", "--check")


def test_a_new_text_would_be_found(monkeypatch):
    real = messages.all_messages()
    monkeypatch.setattr(messages, "all_messages", lambda: real | {messages.Message("Câu mới chưa ai dịch.")})
    with pytest.raises(CommandError, match="Câu mới chưa ai dịch"):
        call_command("messages", "--check")


def test_texts_are_found_wherever_they_are_written():
    found = {message.text for message in messages.all_messages()}
    for text in (
        "Nội dung gốc",  # a template's translate
        "Bước %(n)s",  # a blocktranslate
        "(chưa có tên)",  # a filter's argument
        "Hãy đặt tên cho chiến dịch.",  # gettext
        "Bản nháp",  # gettext_lazy
        "%(n)d phút",  # ngettext
        "Mã bot (token)",  # an adapter's form
    ):
        assert text in found


@pytest.mark.parametrize(
    "name", ["home", "campaign.list", "campaign.new", "approval.list", "account.list", "profile", "password"]
)
def test_english_pages_hold_no_vietnamese(name, browse, officer):
    client = browse(officer("writer", full_name="An", position="Clerk"))
    client.cookies["django_language"] = "en"
    page = client.get(reverse(name)).content.decode()
    page = page.replace("Tiếng Việt", "").replace("Tỉnh Bắc Ninh", "")  # a language's own name, a place's name
    page = re.sub(r"(?:href|action|value)=\"[^\"]*\"", "", page)
    assert VIETNAMESE.findall(page) == []
