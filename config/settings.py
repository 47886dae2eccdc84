"""Settings, from the environment only. `.env.example` lists every variable."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.utils.translation import gettext_lazy as _
from psycopg.conninfo import conninfo_to_dict

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
# Keys of addresses and secrets at rest: "1:<base64 of 64 bytes>,2:..."; the last one encrypts, all decrypt.
LOA_KEYS = env.str("LOA_KEYS")

LOA_URL = env.str("LOA_URL", default="http://127.0.0.1:8000").rstrip("/")  # how citizens and providers reach us
LOA_INTERNAL_URL = env.str("LOA_INTERNAL_URL", default=LOA_URL).rstrip("/")  # how our own workers reach the web
SANDBOX_URL = env.str("SANDBOX_URL", default="").rstrip("/")  # empty: no training gateways on this installation
SECURE = urlsplit(LOA_URL).scheme == "https"

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(LOA_URL).hostname or "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[LOA_URL])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.contrib.syndication",
    "channels",
    "django_celery_beat",
    "django_htmx",
    "axes",
    "rules",
    "csp",
    "broadcast",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "broadcast.web.language.VietnameseFirst",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",  # a view is public only where it says so
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "broadcast/web/templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "broadcast.web.context.page",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "broadcast.web.tags"],
        },
    },
]


def _database(url: str) -> dict[str, Any]:
    """A libpq URL as Django wants it. django-environ leaves %2F of a socket folder undecoded, libpq does not."""
    parts = conninfo_to_dict(url)
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    options: dict[str, Any] = {key: value for key, value in parts.items() if key not in known}
    # Server processes under ASGI share a pool: with CONN_MAX_AGE some requests failed.
    options["pool"] = {"min_size": 0, "max_size": env.int("DATABASE_POOL", default=8), "timeout": 10}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **{django: str(parts.get(libpq, "") or "") for libpq, django in known.items()},
        "OPTIONS": options,
        "TEST": {"NAME": env.str("TEST_DATABASE", default=f"test_{parts.get('dbname', 'loa')}")},
    }


DATABASE_URL = env.str("DATABASE_URL")
DATABASES = {"default": _database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Celery: the database is the queue, the broker only carries nudges, so messages may be lost without harm.
CELERY_BROKER_URL = env.str("BROKER_URL")
CELERY_BROKER_TRANSPORT_OPTIONS = (
    # Unacknowledged messages come back after `visibility_timeout`; the default scan takes 100 s to notice.
    {"visibility_timeout": 120, "unacked_restore_interval": 2, "unacked_restore_throttle": 1}
    if CELERY_BROKER_URL.startswith(("redis", "rediss", "valkey"))
    else {}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "broadcast.tasks.dispatch": {"queue": "dispatch"},
    "broadcast.tasks.settle": {"queue": "dispatch"},
    "broadcast.tasks.render_clips": {"queue": "audio"},
}
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_TASK_TIME_LIMIT = 110
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_DB_REUSE_MAX = 1000  # Celery's Django fixup else closes the connection around every task
CELERY_BEAT_SCHEDULE = {
    "tick": {"task": "broadcast.tasks.tick", "schedule": 1.0, "options": {"expires": 2}},
    "sweep": {"task": "broadcast.tasks.sweep", "schedule": 2.0, "options": {"expires": 2}},
    "housekeeping": {"task": "broadcast.tasks.housekeeping", "schedule": 3600.0},
}

CHANNEL_URL = env.str("CHANNEL_URL")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [CHANNEL_URL], "prefix": "loa"},
    }
}
VALKEY_URL = env.str("VALKEY_URL", default=CHANNEL_URL)  # rate limits shared by all workers

AUTH_USER_MODEL = "broadcast.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "rules.permissions.ObjectPermissionBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", _("Tiếng Việt")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "broadcast/locale"]
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = "Asia/Ho_Chi_Minh"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

LOA_STATE = Path(env.str("LOA_STATE", default=str(BASE_DIR / ".loa")))
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(LOA_STATE / "media")))
MEDIA_URL = "media/"
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "broadcast/web/static"]
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(LOA_STATE / "static")))
SERVESTATIC_USE_FINDERS = env.bool("STATIC_FROM_SOURCE", default=True)
SERVESTATIC_AUTOREFRESH = DEBUG

CSRF_FAILURE_VIEW = "broadcast.web.errors.csrf_failure"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=SECURE)
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31536000 if SECURE else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
MESSAGE_TAGS = {10: "", 20: "", 25: "ok", 30: "warn", 40: "bad"}  # the style sheet's names
# Officers' pages load nothing from another host and run no inline script.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "media-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    # These repeat every request or task with its arguments.
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("celery.app.trace", "celery.worker.strategy", "celery.worker.request", "httpx", "axes")
    },
}

# How the delivery line works; the figures are measured, see docs/decisions.
LOA_BATCH_SECONDS = env.int("LOA_BATCH_SECONDS", default=60)  # a worker holds a batch at most so long without a sign
LOA_RETENTION_MONTHS = env.int("LOA_RETENTION_MONTHS", default=24)
