"""Addresses of the pages."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from . import errors
from .views import accounts, approval, campaigns, compose, home, login, watch

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    # the officer
    path("dang-nhap/", login.Login.as_view(), name="login"),
    path("dang-xuat/", login.Logout.as_view(), name="logout"),
    path("tai-khoan/", login.profile, name="profile"),
    path("tai-khoan/mat-khau/", login.ChangePassword.as_view(), name="password"),
    path("giao-dien/", login.theme, name="theme"),
    path("ngon-ngu/", login_not_required(set_language), name="set_language"),
    path("mat-mang/", errors.offline, name="offline"),
    # campaigns
    path("chien-dich/", campaigns.campaign_list, name="campaign.list"),
    path("chien-dich/moi/", campaigns.campaign_new, name="campaign.new"),
    path("chien-dich/<int:pk>/", campaigns.campaign_show, name="campaign.show"),
    path("chien-dich/<int:pk>/noi-dung/", compose.content, name="campaign.content"),
    path("chien-dich/<int:pk>/xem-truoc/<slug:channel>/", compose.preview, name="campaign.preview"),
    path("chien-dich/<int:pk>/nguoi-nhan/", compose.audience, name="campaign.audience"),
    path("chien-dich/<int:pk>/lich/", compose.time, name="campaign.time"),
    path("chien-dich/<int:pk>/kiem-tra/", compose.check, name="campaign.check"),
    path("chien-dich/<int:pk>/nhan-ban/", campaigns.campaign_clone, name="campaign.clone"),
    path("chien-dich/<int:pk>/rut-ve/", campaigns.campaign_withdraw, name="campaign.withdraw"),
    path("chien-dich/<int:pk>/gui/", campaigns.campaign_send, name="campaign.send"),
    path("chien-dich/<int:pk>/hen-gio/", campaigns.campaign_schedule, name="campaign.schedule"),
    path("chien-dich/<int:pk>/huy-gui/", campaigns.campaign_unschedule, name="campaign.unschedule"),
    path("chien-dich/<int:pk>/tam-dung/", campaigns.campaign_pause, name="campaign.pause"),
    path("chien-dich/<int:pk>/gui-tiep/", campaigns.campaign_resume, name="campaign.resume"),
    path("chien-dich/<int:pk>/dung-han/", campaigns.campaign_cancel, name="campaign.cancel"),
    # under way
    path("chien-dich/<int:pk>/truc-tiep/", watch.live, name="campaign.live"),
    path("chien-dich/<int:pk>/truc-tiep/so-lieu/", watch.progress, name="campaign.progress"),
    path("chien-dich/<int:pk>/ban-thu/", watch.sound, name="campaign.sound"),
    path("chien-dich/<int:pk>/chua-den/", watch.failed, name="campaign.failed"),
    path("chien-dich/<int:pk>/gui-lai/", watch.retry, name="campaign.retry"),
    path("chien-dich/<int:pk>/chua-ro/", watch.settle, name="campaign.settle"),
    # approval
    path("cho-duyet/", approval.approval_list, name="approval.list"),
    path("cho-duyet/<int:pk>/", approval.approval_show, name="approval.show"),
    # channels
    path("kenh/", accounts.account_list, name="account.list"),
    path("kenh/moi/<slug:adapter>/", accounts.account_new, name="account.new"),
    path("kenh/<int:pk>/", accounts.account_edit, name="account.edit"),
    path("kenh/<int:pk>/kiem-tra/", accounts.account_check, name="account.check"),
    path("", include("broadcast.web.outlet_urls")),
]
