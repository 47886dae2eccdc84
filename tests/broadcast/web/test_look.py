"""The style sheet and the words."""

import re
from pathlib import Path

import pytest

from broadcast.states import AccountStatus, CampaignStatus, ContentStatus, DeliveryStatus
from broadcast.web import words
from broadcast.web.tags import _drawing, duration, lower_first, progress_bar, share
from channels_adapters.core import registry
from channels_adapters.core.interface import Reason

WEB = Path(words.__file__).parent
STYLES = WEB / "static/loa"


def block(css: str, start: str) -> dict[str, str]:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    body = css[css.index(start) :].split("{", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"([\w-]+):\s*([^;]+);", body))


def test_the_two_dark_blocks_are_equal():
    css = (STYLES / "tokens.css").read_text()
    by_system = block(css, ':root:not([data-theme="light"])')
    by_choice = block(css, ':root[data-theme="dark"]')
    assert by_system == by_choice and len(by_choice) > 30


def test_every_colour_a_component_names_is_a_token():
    tokens = set(re.findall(r"(--[\w-]+):", (STYLES / "tokens.css").read_text()))
    css = (STYLES / "loa.css").read_text()
    local = set(re.findall(r"(--[\w-]+):", css))
    assert set(re.findall(r"var\((--[\w-]+)", css)) <= tokens | local


def test_the_sheet_asks_no_other_host():
    for sheet in STYLES.glob("*.css"):
        assert "//" not in re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.S)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ("--ink", "--bg"), ("--ink", "--surface"), ("--ink-2", "--surface"), ("--ink-3", "--bg"),
        ("--link", "--surface"), ("--act-ink", "--act"), ("--stop-ink", "--stop"), ("--ok", "--ok-soft"),
        ("--run", "--run-soft"),
        ("--warn", "--warn-soft"), ("--bad", "--bad-soft"), ("--idle", "--idle-soft"), ("--bad", "--surface"),
    ],
)  # fmt: skip
def test_contrast(theme, ink, ground):
    css = (STYLES / "tokens.css").read_text()
    tokens = block(css, "  :root {") | (block(css, ':root[data-theme="dark"]') if theme == "dark" else {})

    def colour(name: str) -> str:
        value = tokens[name]
        while value.startswith("var("):
            value = tokens[value[4:-1]]
        return value

    light, dark = sorted((luminance(colour(ink)), luminance(colour(ground))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_every_state_and_every_reason_has_words_and_an_icon():
    assert set(words.REASONS) == set(Reason)
    assert set(words.CAMPAIGN) == set(CampaignStatus)
    assert set(words.CONTENT) == set(ContentStatus)
    assert set(words.DELIVERY) == set(DeliveryStatus)
    assert set(words.ACCOUNT) == set(AccountStatus)
    shown = [*words.CAMPAIGN.values(), *words.CONTENT.values(), *words.DELIVERY.values(), *words.ACCOUNT.values()]
    for word in [*shown, *words.REASONS.values()]:
        assert _drawing(word.icon)
        assert word.tone in ("ok", "run", "warn", "bad", "idle")
    for trouble in words.REASONS.values():
        assert str(trouble.todo).endswith(".")
    assert tuple(words.FAMILY_ORDER) == registry.FAMILIES


def test_every_icon_a_template_names_exists():
    for template in (WEB / "templates").rglob("*.html"):
        for name in re.findall(r'\{% icon "([\w-]+)"', template.read_text()):
            assert _drawing(name)


def test_shares_never_round_up_to_everything():
    assert share(0, 0) == "0%"
    assert share(1999, 2000) == "99,9%"
    assert share(2000, 2000) == "100%"
    assert share(868, 1000) == "86,8%"
    assert share(1, 100_000) == "0,0%"


def test_durations_and_sentences():
    assert [duration(n) for n in (0, 47, 360, 3900)] == ["0 giây", "47 giây", "6 phút", "1 giờ 5 phút"]
    assert lower_first("Bị chặn") == "bị chặn" and lower_first("SMS hỏng") == "SMS hỏng"


def test_the_bar_shows_even_the_smallest_failure():
    bar = progress_bar({"ok": 99_999, "run": 0, "bad": 1, "wait": 0, "off": 0})
    assert 'class="bad"' in bar and 'width="0.800%"' in bar and "style=" not in bar
