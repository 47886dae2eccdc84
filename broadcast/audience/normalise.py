"""Vietnamese text in every odd form in which lists of people arrive.

Old offices keep lists in the fonts of the 1990s: TCVN3 (".VnTime") and VNI give other meanings to Latin-1 letters,
so "Nguyễn" is stored as "NguyÔn" or "Nguyeãn", in any kind of file. Which it is, the text itself tells: only one
reading is made of possible Vietnamese syllables.

Tables: TCVN 5712:1993 (VN3) and VNI-Windows, as the fonts of these names encode them.
"""

import re
import unicodedata
from collections.abc import Callable

LONGEST_NAME = 120

_TCVN3 = dict(zip(
    "µ¶·¸¹¨»¼½¾Æ©ÇÈÉÊË®ÌÎÏÐÑªÒÓÔÕÖ×ØÜÝÞßáâãä«åæçèé¬êëìíîïñòóô\xadõö÷øùúûüýþ¡¢£¤¥¦§",
    "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵĂÂÊÔƠƯĐ",
    strict=True,
))  # fmt: skip

_TONES = dict(zip("øûõùï", "\u0300\u0309\u0303\u0301\u0323", strict=True))
_TONES_OF_A_MARK = ("", "\u0301", "\u0300", "\u0309", "\u0303", "\u0323")
_VNI_MARKS = {
    **_TONES,
    **dict(zip("âáàåãä", ("\u0302" + tone for tone in _TONES_OF_A_MARK), strict=True)),
    **dict(zip("êéèúüë", ("\u0306" + tone for tone in _TONES_OF_A_MARK), strict=True)),
}  # fmt: skip
_VNI_SINGLE = {"æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ", "ñ": "đ", "ô": "ơ", "ö": "ư", "í": "í", "ì": "ì"}
_VNI_PAIR = re.compile("[aeouyôö][øûõùïâáàåãäêéèúüë]", re.IGNORECASE)


def from_tcvn3(text: str) -> str:
    return "".join(_TCVN3.get(c, c) for c in text)


def from_vni(text: str) -> str:
    def single(c: str) -> str:
        found = _VNI_SINGLE.get(c.lower(), c)
        return found.upper() if c.isupper() else found

    def pair(match: re.Match[str]) -> str:
        base, mark = match[0][0], match[0][1]
        return unicodedata.normalize("NFC", single(base) + _VNI_MARKS[mark.lower()])

    parts, end = [], 0
    for match in _VNI_PAIR.finditer(text):
        parts += [single(c) for c in text[end : match.start()]]
        parts.append(pair(match))
        end = match.end()
    return "".join(parts + [single(c) for c in text[end:]])


_ONSET = "ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdđghklmnprstvx]"
_NUCLEUS = (
    "iêu|yêu|oai|oao|oay|oeo|uây|uôi|uya|uyê|uyu|uêu|ươi|ươu|ai|ao|au|ay|âu|ây|eo|êu|ia|iê|iu|oa|oă|oe|oi|ôi|ơi|oo|"
    "ua|uâ|uê|ui|uô|uơ|uy|ưa|ưi|ươ|ưu|uă|ue|yê|[aăâeêioôơuưy]"
)
_SYLLABLE = re.compile(f"(?:{_ONSET})?(?:{_NUCLEUS})(?:ng|nh|ch|[cmnpt])?").fullmatch
_TONE_MARKS = frozenset("\u0300\u0309\u0303\u0301\u0323")


def is_syllable(word: str) -> bool:
    """Can this be a Vietnamese syllable? Tone and letter case do not matter."""
    decomposed = unicodedata.normalize("NFD", word.lower())
    tones = sum(c in _TONE_MARKS for c in decomposed)
    toneless = unicodedata.normalize("NFC", "".join(c for c in decomposed if c not in _TONE_MARKS))
    return tones <= 1 and _SYLLABLE(toneless) is not None


def plausibility(text: str) -> int:
    """Possible syllables with diacritics, less impossible words with them. Plain ASCII words say nothing."""
    words = [word for word in re.split(r"[\s\d!-/:-@\[-`{-~]+", text) if not word.isascii()]
    return sum(1 if is_syllable(word) else -1 for word in words)


_READINGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("", str),
    ("TCVN3", from_tcvn3),
    ("VNI", from_vni),
)


def font_of(text: str) -> str:
    """ "TCVN3" or "VNI" where the text was written with such a font, "" where it is Unicode (or plain ASCII)."""
    sample = unicodedata.normalize("NFC", text[:50_000])
    scores = [plausibility(read(sample)) for _name, read in _READINGS]
    best = max(scores)
    return "" if scores[0] == best else _READINGS[scores.index(best)][0]


def unfont(text: str, font: str) -> str:
    """The text of a font that ``font_of`` named, in Unicode."""
    return dict(_READINGS)[font](text)


class UnknownEncoding(ValueError):
    """The bytes are no text of a known encoding. The message is a sentence for the officer."""


_NO_TEXT = "Đây không phải là tệp văn bản. Hãy lưu danh sách dưới dạng CSV UTF-8 hoặc XLSX."
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f]").search


def encoding_of(sample: bytes) -> str:
    """The codec of a text file from its beginning. Raises UnknownEncoding.

    TCVN3 and VNI files are "cp1252": their letters are told apart in the text, by ``font_of``.
    """
    if sample.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    zeros = sample[0::2].count(0), sample[1::2].count(0)
    if sum(zeros) > len(sample) // 8:
        codec = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
        if _CONTROLS(sample.decode(codec, errors="replace")):
            raise UnknownEncoding(_NO_TEXT)
        return codec
    if b"\x00" in sample:
        raise UnknownEncoding(_NO_TEXT)
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(sample) - 3:  # a letter cut in two at the end of the sample
            return "utf-8"
    else:
        return "utf-8"
    latin = sample.decode("cp1252", errors="replace")
    legacy = max(plausibility(from_tcvn3(latin)), plausibility(from_vni(latin)), plausibility(latin))
    windows = plausibility(unicodedata.normalize("NFC", sample.decode("cp1258", errors="replace")))
    if max(legacy, windows) <= 0:
        raise UnknownEncoding(
            "Không nhận ra bảng mã của tệp. Hãy lưu lại dưới dạng CSV UTF-8 hoặc XLSX rồi tải lên lần nữa."
        )
    return "cp1258" if windows >= legacy else "cp1252"


_UNSEEN = re.compile("[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffe\uffff]")


def clean(text: str) -> str:
    """One line, composed letters, ordinary digits and spaces, nothing invisible."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    # NFKC turns full-width letters and digits into ordinary ones, and composes decomposed Vietnamese.
    return " ".join(_UNSEEN.sub(" ", unicodedata.normalize("NFKC", text)).split())


def name(text: str) -> str:
    """A person's name as people write it. Raises ValueError with a sentence for the officer."""
    text = clean(text)
    if not text:
        raise ValueError("Chưa có họ tên.")
    if len(text) > LONGEST_NAME:
        raise ValueError(f"Họ tên dài quá {LONGEST_NAME} ký tự.")
    if not any(c.isalpha() for c in text):
        raise ValueError("Họ tên không có chữ cái nào.")
    if any(c.isdecimal() for c in text) or "@" in text:
        raise ValueError("Họ tên có chữ số hoặc ký hiệu lạ; có lẽ cột đã bị lệch.")
    return text.title() if text.isupper() or text.islower() else text
