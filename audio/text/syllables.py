"""Which words are spelled like Vietnamese? A word that is not is read by guesswork and must be pointed out."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_TONES = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
_WORD = re.compile(r"\S+")
_ONSETS = _WORD.findall("ngh ng gh gi kh nh ph qu th tr ch b c d đ g h k l m n p r s t v x")
_RIMES = frozenset(
    _WORD.findall("""
    a ac ach ai am an ang anh ao ap at au ay
    ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et ê êch êm ên ênh êp êt êu
    i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong
    ooc oong op ot
    ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
    u ua uân uâng uât uây uc uê uêch uênh ui um un ung uơ uôc uôi uôm uôn uông uôt up ut
    uy uya uych uyên uyêt uyn uynh uyt uyu
    ư ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu
    y yêm yên yêng yêt yêu
    ăk ôk âk
    """)
)
_STOPS = ("c", "ch", "k", "p", "t")


@lru_cache(maxsize=20_000)
def is_syllable(word: str) -> bool:
    """Is this one word (any case, composed or not) a possible Vietnamese syllable, tone included?"""
    letters = unicodedata.normalize("NFD", word.lower())
    tones = [c for c in letters if c in _TONES]
    if len(tones) > 1 or len(word) > 8:
        return False
    base = unicodedata.normalize("NFC", "".join(c for c in letters if c not in _TONES))
    if base.endswith(_STOPS) and (not tones or tones[0] not in {"\u0301", "\u0323"}):
        return False
    if base in _RIMES:
        return True
    for onset in _ONSETS:
        if base.startswith(onset):
            rime = base[len(onset) :]
            if rime in _RIMES:
                return True
            if onset == "gi" and (rime == "" or "i" + rime in _RIMES):  # gì, giếng
                return True
            if onset == "qu" and "u" + rime in _RIMES:  # quý, quyên, quốc
                return True
    return False


_VIETNAMESE_LETTERS = re.compile(
    r"[a-zA-ZđĐăĂâÂêÊôÔơƠưƯáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ"
    r"ÁÀẢÃẠẮẰẲẴẶẤẦẨẪẬÉÈẺẼẸẾỀỂỄỆÍÌỈĨỊÓÒỎÕỌỐỒỔỖỘỚỜỞỠỢÚÙỦŨỤỨỪỬỮỰÝỲỶỸỴ]"
)


def is_letter(char: str) -> bool:
    """A letter a Vietnamese reader can pronounce."""
    return _VIETNAMESE_LETTERS.fullmatch(char) is not None


def has_marks(word: str) -> bool:
    """Does the word carry a letter or tone mark that only Vietnamese uses (so it is no foreign word)?"""
    return any(ord(c) > 0x7F for c in word)


_BARE_RIMES = frozenset(
    unicodedata.normalize("NFD", rime).translate({0x302: None, 0x306: None, 0x31B: None}) for rime in _RIMES
)


def _is_bare_syllable(text: str) -> bool:
    """A syllable typed without any mark, as in a web address."""
    return (
        text in _BARE_RIMES
        or any(
            text.startswith(onset) and (text[len(onset) :] in _BARE_RIMES or (onset == "gi" and text == "gi"))
            for onset in ("d", *_ONSETS)
        )
        or (text.startswith("qu") and text[1:] in _BARE_RIMES)
    )


def toneless_split(run: str) -> list[str]:
    """ "dichvucong" -> ["dich", "vu", "cong"]: the fewest syllables that make up the run, or nothing."""
    best: list[list[str] | None] = [[]] + [None] * len(run)
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - 7), end):
            head = best[start]
            if head is not None and _is_bare_syllable(run[start:end]):
                there = best[end]
                if there is None or len(head) + 1 < len(there):
                    best[end] = [*head, run[start:end]]
    return best[len(run)] or []
