"""The ASGI application: provider callbacks before Django, WebSockets beside it."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from broadcast.web.live import websocket_urlpatterns  # noqa: E402
from broadcast.webhooks import Door  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": Door(django_application),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
