"""Configured channels: what they are, whether they work, and their settings with the secrets masked."""

import asyncio
from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from broadcast.models import Account, AuditEntry, Place, Role, User
from broadcast.states import AccountStatus
from channels_adapters.core import registry
from channels_adapters.core.http import HttpTransport
from channels_adapters.core.interface import Capabilities, Problem

from ..access import Request
from ..forms import Dressed
from ..lists import accounts_near, capabilities, label
from ..words import ACCOUNT, FAMILY_ICONS

PATIENCE = 20.0  # seconds for a connection check


def _may_manage(user: User, place: Place) -> bool:
    return user.is_superuser or user.has_role(place, Role.ADMINISTRATOR)


def _managed_places(user: User):
    if user.is_superuser:
        return Place.objects.current().filter(depth=1)
    held = Place.objects.current().filter(memberships__user=user, memberships__role=Role.ADMINISTRATOR)
    return held.order_by("path").distinct()


def account_list(request: Request):
    held = list(request.user.memberships.filter(role=Role.ADMINISTRATOR).select_related("place"))
    rows: list[dict[str, Any]] = [
        {
            "account": account,
            "label": label(account.adapter),
            "icon": FAMILY_ICONS[capabilities(account.adapter).family],
            "word": ACCOUNT[account.status],
            "may": request.user.is_superuser or any(m.place.contains(account.place) for m in held),
        }
        for account in accounts_near(request.user)
    ]
    offered = [
        (adapter.name, label(adapter.name), FAMILY_ICONS[adapter.capabilities.family])
        for adapter in registry.all_adapters()
    ]
    context = {
        "rows": rows,
        "offered": offered if request.user.is_superuser or held else [],
        "sandbox_url": settings.SANDBOX_URL if any(row["account"].sandbox for row in rows) else "",
    }
    return render(request, "account/list.html", context)


class AccountForm(Dressed, forms.Form):
    """The adapter's own fields after the account's. An empty secret keeps the one that is stored."""

    label = forms.CharField(label=gettext_lazy("Tên gọi"), max_length=80)
    place = forms.ModelChoiceField(Place.objects.none(), label=gettext_lazy("Đơn vị"), empty_label=None)
    status = forms.ChoiceField(label=gettext_lazy("Trạng thái"), choices=AccountStatus.choices)
    sandbox = forms.BooleanField(
        label=gettext_lazy("Hộp cát"),
        required=False,
        help_text=gettext_lazy("Tin chỉ đến các máy tập huấn, không đến bà con."),
    )
    per_second = forms.FloatField(
        label=gettext_lazy("Giới hạn mỗi giây"),
        required=False,
        min_value=0.1,
        help_text=gettext_lazy("Để trống: theo mức nhà cung cấp cho phép."),
    )

    def __init__(self, *args, account: Account, places, **kwargs):
        self.account = account
        self.adapter_fields = capabilities(account.adapter).fields
        stored = account.settings if account.pk else {}
        kwargs["initial"] = {
            "label": account.label,
            "place": account.place_id,
            "status": account.status,
            "sandbox": account.sandbox,
            "per_second": account.per_second,
            **{f"s_{f.name}": stored.get(f.name, f.default) for f in self.adapter_fields if not f.secret},
        }
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = places  # type: ignore[attr-defined]
        if capabilities(account.adapter).local or not settings.SANDBOX_URL:
            del self.fields["sandbox"]
        for field in self.adapter_fields:
            self.fields[f"s_{field.name}"] = self._control(field, kept=bool(stored.get(field.name)))

    @staticmethod
    def _control(field, *, kept: bool) -> forms.Field:
        common: dict[str, Any] = {
            "label": _(field.label),
            "help_text": _(field.help) if field.help else "",
            "required": field.required and not (field.secret and kept),
        }
        if field.secret:
            hint = _("•••••• đã lưu, để trống để giữ nguyên") if kept else ""
            mask = forms.PasswordInput(attrs={"autocomplete": "off", "placeholder": hint})
            return forms.CharField(widget=mask, **common)
        if field.kind == "bool":
            return forms.BooleanField(**{**common, "required": False})
        if field.kind == "int":
            return forms.IntegerField(min_value=0, **common)
        if field.kind == "url":
            return forms.URLField(assume_scheme="https", **common)
        if field.kind == "choice":
            return forms.ChoiceField(choices=[(value, _(text)) for value, text in field.choices], **common)
        if field.kind == "textarea":
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), **common)
        return forms.CharField(max_length=500, **common)

    def save(self, user: User) -> Account:
        account, data = self.account, self.cleaned_data
        new = account.pk is None
        stored = {} if new else account.settings
        values = dict(stored)
        for field in self.adapter_fields:
            given = data.get(f"s_{field.name}")
            if field.secret and not given:
                continue
            values[field.name] = "" if given is None else str(given)
        account.label, account.place, account.per_second = data["label"], data["place"], data["per_second"]
        if account.status != data["status"]:
            account.status, account.status_reason = data["status"], ""
        account.sandbox = data.get("sandbox", account.sandbox)
        account.settings = values
        account.save()
        changed = sorted(name for name, value in values.items() if stored.get(name) != value)
        action = "account.create" if new else "account.edit"
        AuditEntry.record(user, action, account, changed=changed, status=account.status, sandbox=account.sandbox)
        return account


def account_new(request: Request, adapter: str):
    if adapter not in registry.names():
        raise Http404
    places = _managed_places(request.user)
    first = places.first()
    if first is None:
        raise PermissionDenied
    account = Account(adapter=adapter, place=first, label=str(label(adapter)), sandbox=False)
    return _form(request, account, places)


def account_edit(request: Request, pk: int):
    account = _managed(request, pk)
    chosen = Q(pk__in=_managed_places(request.user).values("pk")) | Q(pk=account.place_id)
    return _form(request, account, Place.objects.filter(chosen).order_by("path"))


def _managed(request: Request, pk: int) -> Account:
    """An account this officer can see and may change."""
    account = accounts_near(request.user).filter(pk=pk).first()
    if account is None:
        raise Http404
    if not _may_manage(request.user, account.place):
        raise PermissionDenied
    return account


def _form(request: Request, account: Account, places):
    form = AccountForm(request.POST or None, account=account, places=places)
    if request.method == "POST" and form.is_valid():
        form.save(request.user)
        messages.success(request, _("Đã lưu tài khoản kênh. Hãy kiểm tra kết nối."))
        return redirect("account.edit", account.pk)
    adapter: Capabilities = capabilities(account.adapter)
    context = {
        "form": form,
        "account": account,
        "kind": label(account.adapter),
        "word": ACCOUNT[account.status],
        "callback": account.callback_base if account.pk and adapter.receipts == "push" and not adapter.local else "",
        "unverified": [_(field.label) for field in adapter.fields if field.unverified],
        "sandbox_url": settings.SANDBOX_URL,
    }
    return render(request, "account/form.html", context, status=422 if form.is_bound else 200)


@require_POST
def account_check(request: Request, pk: int):
    """«Kiểm tra kết nối»: asks the provider, and says what it found."""
    account = _managed(request, pk)
    problems = async_to_sync(_check)(account)
    AuditEntry.record(request.user, "account.check", account, problems=len(problems))
    context = {"problems": problems, "account": account, "alone": not request.htmx}
    return render(request, "account/checked.html", context)


async def _check(account: Account) -> list[Problem]:
    try:
        async with HttpTransport() as transport, asyncio.timeout(PATIENCE):
            return await account.build(transport).check()
    except TimeoutError:
        return [Problem(_("Nhà cung cấp không trả lời. Hãy kiểm tra đường truyền rồi thử lại."))]
