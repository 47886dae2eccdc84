"""The administrator's pages for reference data. Citizens and campaigns are not here, and secrets are never shown."""

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from broadcast.models import Account, Address, AuditEntry, Contact, Membership, Place, PlaceSuccession, Station, User
from broadcast.models.text import fold
from broadcast.states import AddressState
from channels_adapters.core import registry

admin.site.site_header = _("Quản trị Loa")
admin.site.site_title = _("Quản trị Loa")
admin.site.index_title = _("Danh mục và tài khoản")


class PlaceForm(forms.ModelForm):
    parent = forms.ModelChoiceField(
        Place.objects.current(), label=_("thuộc"), required=False, help_text=_("Bỏ trống: đơn vị cấp tỉnh.")
    )

    class Meta:
        model = Place
        fields = ("name", "code", "kind", "valid_from", "valid_to", "latitude", "longitude")


class SuccessorInline(admin.TabularInline):
    model = PlaceSuccession
    fk_name = "old"
    raw_id_fields = ("new",)
    extra = 0


@admin.register(Place)
class PlaceAdmin(admin.ModelAdmin):
    """Where a unit stands in the tree is chosen once; units that ended are kept as history, not deleted."""

    form = PlaceForm
    list_display = ("name", "kind", "code", "above", "valid_from", "valid_to")
    list_filter = ("kind", ("valid_to", admin.EmptyFieldListFilter))
    search_fields = ("folded", "code")
    search_help_text = _("Tên (không cần dấu) hoặc mã đơn vị")
    ordering = ("path",)
    inlines = (SuccessorInline,)

    @admin.display(description=_("thuộc"))
    def above(self, place):
        return self.names.get(place.path[: -Place.steplen], "–")

    def get_queryset(self, request):
        self.names = dict(Place.objects.filter(numchild__gt=0).values_list("path", "name"))
        return super().get_queryset(request)

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, fold(search_term))

    def get_fields(self, request, obj=None):
        fields = ["name", "code", "kind", "valid_from", "valid_to", "latitude", "longitude"]
        return fields if obj else ["parent", *fields]

    def save_model(self, request, obj, form, change):
        if change:
            obj.save()
        elif parent := form.cleaned_data["parent"]:
            Place.objects.add_child(parent, instance=obj)
        else:
            Place.objects.add_root(instance=obj)

    def has_delete_permission(self, request, obj=None):
        return False


class AccountForm(forms.ModelForm):
    adapter = forms.ChoiceField(label=_("kênh"))

    class Meta:
        model = Account
        fields = ("adapter", "label", "place", "sandbox", "status", "per_second", "weight")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "adapter" in self.fields:
            self.fields["adapter"].choices = [(a.name, a.capabilities.label) for a in registry.all_adapters()]


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    """Keys and passwords have no field here: they are sealed, and set on the account's own page."""

    form = AccountForm
    list_display = ("label", "adapter", "place", "sandbox", "status", "weight")
    list_filter = ("adapter", "sandbox", "status")
    raw_id_fields = ("place",)
    list_select_related = ("place",)

    def get_readonly_fields(self, request, obj=None):
        return ("adapter",) if obj else ()


class StationForm(forms.ModelForm):
    name = forms.CharField(label=_("tên đài"), max_length=120)
    place = forms.ModelChoiceField(Place.objects.current(), label=_("địa bàn"))

    class Meta:
        model = Station
        fields = ("name", "place", "code", "voice", "greeting")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["name"].initial = self.instance.contact.name
            self.fields["place"].initial = self.instance.contact.place_id

    def clean_code(self):
        try:
            return registry.get("loudspeaker").validate(self.cleaned_data["code"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(Station)
class StationAdmin(admin.ModelAdmin):
    """A station is a contact with an address as well; the three are written together."""

    form = StationForm
    list_display = ("name", "place", "code", "voice")
    list_select_related = ("contact__place",)
    search_fields = ("contact__folded", "code")
    fields = ("name", "place", "code", "voice", "greeting")

    @admin.display(description=_("tên đài"), ordering="contact__name")
    def name(self, station):
        return station.contact.name

    @admin.display(description=_("địa bàn"))
    def place(self, station):
        return station.contact.place

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, fold(search_term))

    @transaction.atomic
    def save_model(self, request, obj, form, change):
        contact = obj.contact if change else Contact(kind=Contact.Kind.OUTLET)
        contact.name, contact.place = form.cleaned_data["name"], form.cleaned_data["place"]
        contact.save()
        address = contact.addresses.filter(kind="station").first() or Address(
            contact=contact, kind="station", state=AddressState.VALID
        )
        address.plain = obj.code
        address.save()
        obj.contact = contact
        obj.save()

    def has_delete_permission(self, request, obj=None):
        return False


class MembershipInline(admin.TabularInline):
    model = Membership
    raw_id_fields = ("place",)
    extra = 1


@admin.register(User)
class OfficerAdmin(UserAdmin):
    list_display = ("username", "full_name", "position", "is_active", "is_superuser")
    search_fields = ("username", "full_name")
    inlines = (MembershipInline,)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Cán bộ"), {"fields": ("full_name", "position", "email")}),
        (_("Quyền"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Thời gian"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "full_name", "position", "password1", "password2")}),
    )


@admin.register(AuditEntry)
class AuditAdmin(admin.ModelAdmin):
    """To read only."""

    list_display = ("at", "user", "action", "subject")
    list_filter = ("action",)
    search_fields = ("subject",)
    date_hierarchy = "at"
    list_select_related = ("user",)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
