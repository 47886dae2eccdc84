"""The demonstration's message in its four forms.

``article.md`` is the article of the former Bắc Giang Department of Information and Communications (May 2024,
stttt.bacgiang.gov.vn), whole, with headings marked.
"""

from pathlib import Path

TITLE = "Chuyển đổi số tỉnh Bắc Giang: Một số kết quả nổi bật"

SUMMARY = (
    "Bắc Giang đứng thứ 10/63 tỉnh, thành phố về chỉ số chuyển đổi số năm 2020; cung cấp 1.380 dịch vụ công "
    "trực tuyến mức độ 3, 4; 100% xã có Tổ công nghệ cộng đồng hướng dẫn bà con."
)

# 2 parts of UCS-2 at most (134 characters), diacritics kept.
SMS = (
    "Bắc Ninh: 1.380 dịch vụ công của Bắc Giang đã lên mạng, 100% xã có Tổ công nghệ cộng đồng. "
    "Bà con cần giúp, xin gọi Tổ tại thôn, xã."
)

TELEGRAM = """\
📣 Chuyển đổi số tỉnh Bắc Giang: một số kết quả nổi bật

• Năm 2020, tỉnh đứng thứ 10/63 tỉnh, thành phố về chỉ số chuyển đổi số: chính quyền số thứ 7, kinh tế số thứ 14, \
xã hội số thứ 25.
• 1.380/1.961 dịch vụ công mức độ 3, 4 đã có trên Cổng dịch vụ công của tỉnh; bà con nộp hồ sơ tại nhà.
• Toàn tỉnh có 209 Tổ công nghệ cộng đồng cấp xã (3.870 thành viên) và 526 tổ cấp thôn (2.773 thành viên).
• 100% hộ gia đình đã có mã địa chỉ bưu chính Vpostcode.
• Năm 2021, hơn 8.000 tấn vải thiều được bán qua các sàn thương mại điện tử.

Bà con cần hướng dẫn nộp hồ sơ trực tuyến, bán hàng qua mạng, xin liên hệ Tổ công nghệ cộng đồng ở thôn, tổ dân phố.

Đọc toàn văn: {link}
"""

# For the ear: short sentences, one figure each, what to do said twice. About a minute and a half.
BULLETIN = """\
Kính thưa bà con.

Sau đây là bản tin về chuyển đổi số ở vùng Bắc Giang, tỉnh Bắc Ninh.

Năm 2020, Bắc Giang đứng thứ 10 trên 63 tỉnh, thành phố về chỉ số chuyển đổi số. \
Riêng về chính quyền số, tỉnh đứng thứ 7.

Đến nay, 1.380 dịch vụ công đã có trên Cổng dịch vụ công của tỉnh. Bà con có thể nộp hồ sơ tại nhà, bằng điện thoại, \
không phải đi lại nhiều lần.

Mọi gia đình đã có mã địa chỉ bưu chính. Hệ thống họp trực tuyến đã nối từ tỉnh đến tất cả các xã.

Trong nông nghiệp, toàn tỉnh có 716 mô hình ứng dụng công nghệ cao. Năm 2021, hơn 8.000 tấn vải thiều của bà con \
đã được bán qua các sàn thương mại điện tử. Những lô vải đầu tiên đã sang thị trường châu Âu.

Tất cả các xã đều đã có Tổ công nghệ cộng đồng. Các tổ có hơn 6.600 thành viên, là người cùng thôn, cùng xóm với bà con.

Bà con chưa quen nộp hồ sơ trên mạng, chưa biết bán hàng trên mạng, hoặc cần cài đặt điện thoại, xin gặp Tổ công nghệ \
cộng đồng ở thôn, tổ dân phố của mình. Các thành viên của tổ sẽ hướng dẫn từng bước.

Xin nhắc lại: bà con cần giúp về dịch vụ công trực tuyến, xin gặp Tổ công nghệ cộng đồng ở thôn, tổ dân phố.

Bản tin đến đây là hết. Xin cảm ơn bà con đã lắng nghe.
"""


def article() -> str:
    """The whole article, in Markdown, without its title."""
    return (Path(__file__).parent / "article.md").read_text(encoding="utf-8")
