"""Written Vietnamese to spoken words: accepted readings, the whole of a real article, and any text at all."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.text import Entry, lexicon, parse, speak
from audio.text.lexicon import HERE
from audio.text.speak import LONGEST_SENTENCE

DATA = Path(__file__).parent / "data"
SPOKEN = re.compile(
    r"[a-zA-ZđĐăĂâÂêÊôÔơƠưƯáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ"
    r"ÁÀẢÃẠẮẰẲẴẶẤẦẨẪẬÉÈẺẼẸẾỀỂỄỆÍÌỈĨỊÓÒỎÕỌỐỒỔỖỘỚỜỞỠỢÚÙỦŨỤỨỪỬỮỰÝỲỶỸỴ ,.?!\n]*"
)


def cases() -> list[tuple[str, str, str]]:
    found = []
    for name in ("speech-cases.tsv", "bulletin-cases.tsv"):
        for line in (DATA / name).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                key, sentence, accepted = line.split("\t")
                found.append((f"{name.split('-')[0]}-{key}", sentence, accepted))
    return found


def plain(spoken: str) -> str:
    """As the accepted readings are written: lower case, no punctuation."""
    return " ".join(re.sub(r"[^\w\s-]", " ", spoken.lower()).replace("ngàn", "nghìn").split())


@pytest.mark.parametrize(("sentence", "accepted"), [pytest.param(s, a, id=k) for k, s, a in cases()])
def test_is_read_as_accepted(sentence: str, accepted: str) -> None:
    spoken = speak(sentence)
    assert re.search(accepted, plain(spoken.text)), spoken.text
    assert SPOKEN.fullmatch(spoken.text), spoken.text


def test_there_are_enough_cases() -> None:
    keys = [k for k, _, _ in cases()]
    assert len(set(keys)) == len(keys)
    assert sum(k.startswith("speech-") for k in keys) == 60
    assert sum(k.startswith("bulletin-") for k in keys) >= 50


@pytest.fixture(scope="module")
def article() -> str:
    return (DATA / "article-chuyen-doi-so-bac-giang.txt").read_text(encoding="utf-8")


def test_article_comes_out_with_words_alone(article: str) -> None:
    spoken = speak(article)
    assert SPOKEN.fullmatch(spoken.text)
    words = set(re.findall(r"\w+", spoken.text))
    abbreviations = {
        e.written
        for e in parse((HERE / "lexicon.tsv").read_text(encoding="utf-8"))
        if e.written.isupper() and e.written.isalpha() and len(e.written) > 1
    }
    assert not words & abbreviations
    assert "một nghìn ba trăm tám mươi trên một nghìn chín trăm sáu mươi mốt dịch vụ công" in spoken.text
    assert "Mười trên mười huyện" in spoken.text or "mười trên mười huyện" in spoken.text
    assert all(len(s) <= LONGEST_SENTENCE for s in spoken.sentences)


def test_sentences_carry_the_whole_text(article: str) -> None:
    spoken = speak(article)
    assert plain(" ".join(spoken.sentences)) == plain(spoken.text)
    assert len(spoken.paragraphs) > 20


def test_doubts_point_at_what_was_written(article: str) -> None:
    written = "Họp 5/9 về ABCXYZ, xem bacninh.gov.vn. Trường PTTH tuyển sinh."
    spoken = speak(written)
    assert {written[d.start : d.end] for d in spoken.doubts} >= {"ABCXYZ", "bacninh.gov.vn", "5/9"}
    for text in (written, article):
        for doubt in speak(text).doubts:
            assert text[doubt.start : doubt.end] == doubt.written
            assert doubt.why and doubt.spoken is not None


def test_doubts_keep_their_place_in_decomposed_text() -> None:
    written = unicodedata.normalize("NFD", "Đề nghị bà con đọc 👍 kỹ ABCXYZ nhé")
    doubt = next(d for d in speak(written).doubts if d.written == "ABCXYZ")
    assert written[doubt.start : doubt.end] == "ABCXYZ"


def test_clear_text_raises_no_doubt() -> None:
    clear = "Đề nghị bà con thôn 3 tập trung lúc 7h30 ngày 15/10/2025 tại NVH, mang theo CCCD. Gọi 0912 345 678."
    assert speak(clear).doubts == ()


def test_operators_entry_wins_over_the_projects_and_over_rules() -> None:
    extra = (
        Entry("OCOP", "mỗi xã một sản phẩm"),
        Entry("10/10", "tất cả các"),
        Entry("Pò Háng", "Pò Háng thôn bản"),
    )
    spoken = speak("Sản phẩm OCOP tại 10/10 xã, thôn Pò Háng.", extra).text
    assert spoken == "Sản phẩm mỗi xã một sản phẩm tại tất cả các xã, thôn Pò Háng thôn bản."
    assert lexicon(extra).version != lexicon().version


def test_longest_entry_wins_and_case_matters_for_capitals() -> None:
    assert "phó giáo sư, tiến sĩ Trần" in speak("Có PGS.TS. Trần An dự.").text
    assert speak("ai cũng biết").text == "Ai cũng biết."  # AI is an entry, ai is a word
    assert "ây ai" in speak("ứng dụng AI vào sản xuất").text


def test_words_just_said_are_not_said_again() -> None:
    assert speak("nền tảng LGSP").text.lower().count("nền tảng") == 1


def test_lexicon_file_names_the_bad_line() -> None:
    with pytest.raises(ValueError, match="dòng 2"):
        parse("A\tb\nchỉ một cột")


def test_own_lexicon_is_sound() -> None:
    for name in ("lexicon.tsv", "documents.tsv"):
        entries = parse((HERE / name).read_text(encoding="utf-8"))
        written = [e.written for e in entries]
        assert sorted(set(written)) == sorted(written), [w for w in written if written.count(w) > 1]
        for entry in entries:
            assert SPOKEN.fullmatch(entry.spoken), entry
            assert entry.spoken == unicodedata.normalize("NFC", entry.spoken)


def test_spoken_text_is_read_as_it_stands(article: str) -> None:
    """The operator edits spoken text; reading it again must not change it."""
    once = speak(article).text
    assert speak(once).text == once


@pytest.mark.parametrize(
    "text", ["", "   ", "\n\n", "!!! ??? ***", "👍🎉🔥", "\u200b\u200d\ufeff", "---===---", "…", "./."]
)
def test_text_without_words_is_empty(text: str) -> None:
    assert speak(text).sentences == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (unicodedata.normalize("NFD", "Ủy ban nhân dân xã thông báo"), "Ủy ban nhân dân xã thông báo."),
        ("thông\u200bbáo", "Thôngbáo."),
        ("Ðảng ủy", "Đảng ủy."),
        ("cao 5 m² và 2½ tấn", "Cao năm mét vuông và hai một phần hai tấn."),
        ("𝟏𝟎 người, ３ xã, ٣ thôn", "Mười người, ba xã, ba thôn."),
        ("nhiệt độ 35⁰C, 30˚C, 25℃", "Nhiệt độ ba mươi lăm độ xê, ba mươi độ xê, hai mươi lăm độ xê."),
        ("10⁻³", "Mười mũ trừ ba."),
    ],
)
def test_odd_unicode(text: str, expected: str) -> None:
    assert speak(text).text == expected


def test_fifty_thousand_characters(article: str) -> None:
    for text in ((article * 8)[:50_000], "a" * 50_000, "1" * 50_000, "1/" * 25_000, "-" * 50_000, "A." * 25_000):
        spoken = speak(text)
        assert SPOKEN.fullmatch(spoken.text)
        assert all(len(s) <= LONGEST_SENTENCE for s in spoken.sentences)


_pieces = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="0123456789.,/-:%hgđ°CmkKIVX ()+", max_size=16),
    st.sampled_from(
        ["UBND", "QĐ-TTg", "TP.", "ngày ", "tháng ", "thứ ", "số ", "từ ", "gọi ", "m2", "\n", "km/h", "@a.vn"]
    ),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_pieces, max_size=12).map("".join))
def test_any_text_gives_words(text: str) -> None:
    spoken = speak(text)
    assert SPOKEN.fullmatch(spoken.text)
    assert not any(c.isdigit() for c in spoken.text)
    for doubt in spoken.doubts:
        assert text[doubt.start : doubt.end] == doubt.written
