"""Log-in, the officer's own account, and how pages look to them."""

from django import forms
from django.contrib import messages
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from ..access import Request
from ..context import THEMES
from ..forms import Dressed

YEAR = 365 * 24 * 3600


class LoginForm(Dressed, AuthenticationForm):
    """One sentence for a wrong name and for a wrong password: it must not reveal which accounts exist."""

    error_messages = {
        "invalid_login": gettext_lazy(
            "Tên đăng nhập hoặc mật khẩu chưa đúng. Sau 5 lần sai, việc đăng nhập bị khoá 15 phút."
        ),
        "inactive": gettext_lazy("Tên đăng nhập hoặc mật khẩu chưa đúng."),
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = gettext_lazy("Tên đăng nhập")
        self.fields["password"].label = gettext_lazy("Mật khẩu")

    def clean(self):
        try:
            return super().clean()
        except ValidationError as error:
            self.add_error("password", error)
            return self.cleaned_data


class Logout(auth.LogoutView):
    """Also empties what the operator's page keeps on the phone, wherever the officer logs out."""

    def post(self, request, *args, **kwargs):
        response = super().post(request, *args, **kwargs)
        response["Clear-Site-Data"] = '"storage"'
        return response


class Login(auth.LoginView):
    authentication_form = LoginForm
    redirect_authenticated_user = True


class PasswordForm(Dressed, PasswordChangeForm):
    field_order = ["old_password", "new_password1", "new_password2"]


class ChangePassword(auth.PasswordChangeView):
    form_class = PasswordForm
    template_name = "profile_password.html"
    success_url = reverse_lazy("profile")

    def form_valid(self, form: forms.Form):
        messages.success(self.request, _("Đã đổi mật khẩu."))
        return super().form_valid(form)


def profile(request: Request):
    memberships = request.user.memberships.select_related("place").order_by("place__path", "role")
    return render(request, "profile.html", {"memberships": memberships})


@login_not_required
@require_POST
def theme(request: HttpRequest):
    """Light, dark, or (empty) as the machine is set. Kept in a cookie, so that log-in and public pages follow too."""
    wanted = request.POST.get("theme", "")
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back)
    if wanted in THEMES:
        response.set_cookie("theme", wanted, max_age=YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response
