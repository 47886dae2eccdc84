"""What an officer sees when a page cannot be shown: a plain sentence, the next step and a reference number."""

import logging
import secrets
import sys
from dataclasses import dataclass

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import requires_csrf_token

from .words import Text

log = logging.getLogger(__name__)


HOME = _("Về trang Hôm nay")


@dataclass(frozen=True, slots=True)
class ErrorPage:
    status: int
    title: Text
    text: Text
    todo: Text
    link: Text
    url: str = "/"


BAD_REQUEST = ErrorPage(
    400,
    _("Yêu cầu chưa đúng"),
    _("Máy chủ không hiểu nội dung vừa gửi. Chưa có gì thay đổi."),
    _("Hãy quay lại trang trước và thử lại."),
    HOME,
)
FORBIDDEN = ErrorPage(
    403,
    _("Bạn chưa được giao quyền này"),
    _("Trang này dành cho cán bộ có vai trò khác, hoặc thuộc đơn vị khác."),
    _("Nếu công việc cần đến, hãy nhờ người quản trị cấp quyền và đọc mã tra cứu cho họ."),
    HOME,
)
STALE_FORM = ErrorPage(
    403,
    _("Trang đã mở quá lâu"),
    _("Để giữ an toàn, biểu mẫu này hết hạn nên chưa được nhận. Chưa có gì thay đổi."),
    _("Hãy quay lại trang trước, tải lại trang rồi gửi lại. Trình duyệt cần cho phép cookie."),
    HOME,
)
NOT_FOUND = ErrorPage(
    404,
    _("Không tìm thấy trang"),
    _("Đường dẫn có thể đã đổi, hoặc nội dung không thuộc đơn vị của bạn."),
    _("Hãy kiểm tra lại đường dẫn, hoặc tìm từ trang Hôm nay."),
    HOME,
)
SERVER_ERROR = ErrorPage(
    500,
    _("Hệ thống gặp trục trặc"),
    _("Lỗi ở phía máy chủ, không phải do bạn. Những tin đang gửi không bị ảnh hưởng."),
    _("Hãy thử lại sau ít phút. Nếu vẫn lỗi, đọc mã tra cứu cho người quản trị."),
    HOME,
)
OFFLINE = ErrorPage(
    200,
    _("Không có mạng"),
    _("Máy này đang không kết nối được với máy chủ Loa. Những tin đang gửi vẫn tiếp tục."),
    _("Hãy kiểm tra mạng rồi tải lại trang."),
    _("Tải lại"),
)


def _page(request: HttpRequest, error: ErrorPage, reference: str) -> HttpResponse:
    html = render_to_string("errors/page.html", {"error": error, "reference": reference}, request)
    return HttpResponse(html, status=error.status)


def _reference() -> str:
    return f"L{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()


def bad_request(request, exception=None):
    reference = _reference()
    log.warning("%s: bad request %s", reference, request.path)
    return _page(request, BAD_REQUEST, reference)


@requires_csrf_token
def forbidden(request, exception=None):
    reference = _reference()
    log.warning("%s: forbidden %s", reference, request.path)
    return _page(request, FORBIDDEN, reference)


@requires_csrf_token
def csrf_failure(request, reason=""):
    reference = _reference()
    log.warning("%s: %s %s", reference, reason, request.path)
    return _page(request, STALE_FORM, reference)


@requires_csrf_token
def not_found(request, exception=None):
    reference = _reference()
    log.info("%s: not found %s", reference, request.path)
    return _page(request, NOT_FOUND, reference)


@requires_csrf_token
def server_error(request):
    """The page needs no database: context processors that ask it are left out when it is what failed."""
    reference = _reference()
    log.error("%s: error at %s", reference, request.path, exc_info=sys.exc_info())
    context = {"error": SERVER_ERROR, "reference": reference, "theme": request.COOKIES.get("theme", "")}
    return HttpResponse(render_to_string("errors/page.html", context), status=500)


@login_not_required
@cache_control(max_age=86400)
def offline(request):
    """What a phone without network shows from its cache."""
    return _page(request, OFFLINE, "")
