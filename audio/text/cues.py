"""Words before or after an expression that decide how it is read. Patterns for the lower-cased text around it."""

from __future__ import annotations

import re


def _any(words: str) -> str:
    """One alternation of comma-separated phrases, longest first."""
    phrases = (" ".join(w.split()) for w in words.split(","))
    return "|".join(re.escape(p).replace(r"\ ", r"\s+") for p in sorted(phrases, key=len, reverse=True))


def _before(words: str, tail: str = r"\s+$") -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])({_any(words)}){tail}")


def _after(words: str) -> re.Pattern[str]:
    return re.compile(rf"\s*({_any(words)})(?![^\W_])", re.IGNORECASE)


VERSION = _before("phiên bản, công nghiệp, cách mạng, version, bản, thế hệ, web")
DOCUMENT = _before(
    """nghị định, thông tư, nghị quyết, quyết định, chỉ thị, kế hoạch, công văn, công điện, luật, hướng dẫn, thông báo,
    báo cáo, tờ trình""",
    r"(?: số)?:?\s+$",
)
DAY = _before("ngày, mùng, mồng, hôm, rằm, đến hết", r"(?:\s+\S+)?\s+$")
PERIOD = _before("tháng, quý, học kỳ, kỳ, tuần, đợt, vụ, số")
MONTH = _before("tháng")
ORDINAL = _before("thứ, lần thứ")
WEEKDAY = re.compile(r"\bthứ\s+(?:[2-7]\s*(?:,|và|đến|-|hoặc)\s*)*$")  # «thứ 2, 4, 6»

# A date, for certain or likely; else a ratio or a fraction
DATE = _before(
    """ngày, mùng, mồng, hôm, sáng, trưa, chiều, tối, đêm, lễ, dịp, chủ nhật, cn, thứ hai, thứ ba, thứ tư, thứ năm,
    thứ sáu, thứ bảy, thứ 2, thứ 3, thứ 4, thứ 5, thứ 6, thứ 7""",
    r"\s*[,(]?\s*$",
)
MAYBE_DATE = _before(
    "trước, sau, từ, đến, tới, hết, kỷ niệm, quốc khánh, giải phóng, phụ nữ, vào, và, nay, mai, qua",
    r"\s*[,(]?\s*$",
)
RATIO = _before(
    """thứ, xếp, hạng, đạt, tỷ lệ, tỉ lệ, tại, có, với, điểm, đã, được, số, giải quyết, hoàn thành, lớp, ngõ, ngách,
    hẻm, nhà, phòng, căn, kiệt"""
)
COUNTED = _after(
    """huyện, xã, phường, tỉnh, thành phố, thôn, bản, làng, tổ, khu, hộ, đại biểu, người, trường, lớp, chỉ tiêu,
    tiêu chí, sản phẩm, dvc, dịch vụ, cơ sở, ca, đơn vị, điểm, tổng số, nước, quốc gia, đảng viên, hội viên, cử tri,
    phiếu, ý kiến, thủ tục, tthc, hồ sơ, nhiệm vụ, công trình, dự án, mẫu, trạm, địa phương, thị trấn, thành viên,
    đồng chí, ủy viên, chi bộ, đảng bộ, học sinh, vị trí, km, ha, kg, m"""
)
PART_OF = _after(
    """số, tổng, diện tích, dân số, chiều, quãng, thời gian, viên, liều, muỗng, thìa, cốc, lít, kg, giá, mức, khối,
    công suất, nhu cầu"""
)
SCORE = _before(
    "tỷ lệ, tỉ lệ, tỷ số, tỉ số, bản đồ, thắng, thua, hòa, dẫn trước, pha, pha loãng", r"(?:\s+\S+){0,3}\s+$"
)

# Digits said one by one
CALL = _before(
    """gọi, tổng đài, đường dây nóng, điện thoại, đt, sđt, hotline, số máy, nhắn tin, tin nhắn, soạn tin, đầu số, bấm,
    quay số, đtdđ, zalo, liên hệ, liên lạc, cấp cứu, khẩn cấp, số nóng""",
    r"[^.!?]{0,40}$",
)
_NEAR = _any("gọi, số, tổng đài, nóng, ngay, hotline, đến, tới, qua, hoặc, và, cứu, cháy, bấm, gửi, máy")
CALL_NEAR = re.compile(rf"(?:{_NEAR}|[,:(-])\s*$")
NOT_A_PHONE = _after(
    """ca, người, hộ, lượt, cuộc, lần, trường, đồng, triệu, km, mét, ngày, giờ, phút, xã, cán bộ, đại biểu, tỷ, nghìn,
    tấn, kg"""
)
CODE = _before(
    """mã, mã số, tài khoản, stk, cccd, cmnd, căn cước, căn cước công dân, mã số thuế, số hiệu, số seri, otp, mst,
    hộ chiếu, số sổ, biên lai""",
    r"(?: số)?(?: là)?:?\s+$",
)

# Nouns that are numbered with Roman numerals
_NUMBERED = _any(
    """thứ, lần, khóa, khoá, quý, thế kỷ, kỷ, báo động, cấp, hạng, loại, chương, mục, phần, nhóm, vùng, khu vực, bậc,
    độ, đợt, kỳ, học kỳ, điều, tập, giai đoạn, lớp, đại hội, trung ương, mức, khu, tuyến, bảng, phụ lục, vành đai,
    điểm, số, trạm, đội, bđ, chuyên khoa, quyển, bài, hội nghị"""
)
ROMAN = re.compile(rf"(?<![^\W_])({_NUMBERED})\s+(?:[ivxlc]+\s*(?:,|và|-|đến|hoặc)\s*)*$")

# A unit of measure that stands for itself, without a number: «tính theo kg»
UNIT_NAMED = _before("tính theo, đơn vị, mỗi, một, vài, mấy, số, triệu, nghìn, trăm, theo, bao nhiêu", r"\s$")
