"""All addresses of the installation."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("quan-tri/", admin.site.urls),
    path("", include("broadcast.web.urls")),
]

handler400 = "broadcast.web.errors.bad_request"
handler403 = "broadcast.web.errors.forbidden"
handler404 = "broadcast.web.errors.not_found"
handler500 = "broadcast.web.errors.server_error"
