"""Settings for every way to run Rapport: one module, told apart by the environment alone."""

import csp.constants

from project import env, stores

BASE_DIR = env.BASE_DIR
DATA_DIR = env.read_data_dir()
DEBUG = env.read_bool("DEBUG", default=False)
PORT = env.read_port("PORT", 8000)
PUBLIC_URL_IS_GIVEN = bool(env.env.str("PUBLIC_URL", default="").strip())
PUBLIC_URL = env.read_url("PUBLIC_URL", f"http://localhost:{PORT}")
TRUSTED_PROXIES = env.read_networks("TRUSTED_PROXIES")

_keys = env.read_keys(DATA_DIR)
SECRET_KEY = _keys["secret"]
ENCRYPTION_KEYS = _keys["encryption"]  # the first encrypts, all decrypt

_public_host = PUBLIC_URL.split("://")[1].rsplit(":", 1)[0]
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", _public_host]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
USE_HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = USE_HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_CROSS_ORIGIN_OPENER_POLICY = None if not USE_HTTPS else "same-origin"

INSTALLED_APPS = [
    "daphne",  # first: it installs the Twisted reactor
    "channels",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "lucide",
    "csp",
    "huey.contrib.djhuey",
    "project",
    "crm",
    "conversations",
    "channels_adapters",
]

MIDDLEWARE = [
    "servestatic.middleware.ServeStaticMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crm.workspace.middleware.MembershipMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "project" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "project.context.content_security_nonce",
                "project.context.navigation",
            ],
            "builtins": ["django.templatetags.i18n", "lucide.templatetags.lucide", "project.templatetags.rapport"],
        },
    }
]

DATABASES = {"default": stores.read_database(DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = stores.read_redis()
REDIS_PREFIX = stores.redis_prefix(REDIS_URL)
IS_CLUSTER = bool(REDIS_URL) and DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql"
CHANNEL_LAYERS = {"default": stores.channel_layer(REDIS_URL)}
CACHES = {"default": stores.cache(REDIS_URL)}
HUEY = stores.queue(REDIS_URL, DATA_DIR, SECRET_KEY)

AUTH_USER_MODEL = "crm.Agent"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "inbox"
LOGOUT_REDIRECT_URL = "sign-in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # a language is named here when its translation is in the tree
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
MEDIA_ROOT = DATA_DIR / "files"
MODELS_ROOT = DATA_DIR / "models"  # pipelines that were trained for a workspace
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_USE_MANIFEST = False
SERVESTATIC_MAX_AGE = 0 if DEBUG else 3600
FILE_SIZE_LIMIT = 20 * 1024 * 1024  # bytes, in and out
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.constants.SELF],
        "script-src": [csp.constants.SELF, csp.constants.NONCE],
        "style-src": [csp.constants.SELF],
        "style-src-attr": [csp.constants.UNSAFE_INLINE],  # `style="--hue: 20"` on an avatar
        "img-src": [csp.constants.SELF, "data:", "blob:"],
        "connect-src": [csp.constants.SELF, "ws:", "wss:"],
        "object-src": [csp.constants.NONE],
        "base-uri": [csp.constants.NONE],
        "form-action": [csp.constants.SELF],
        "frame-ancestors": [csp.constants.SELF],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "project.logs.LineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # httpx writes the whole address at INFO, and a Telegram address holds the bot's token
        "httpx": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "huey": {"level": "WARNING"},
        "django.channels.server": {"level": "WARNING"},
    },
}
