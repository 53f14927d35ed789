"""Settings, read from the environment; a fresh checkout runs on the defaults.

`docs/settings.md` lists every variable.
"""

from datetime import timedelta
from pathlib import Path

from medgen import databases, env, home_folder, logs, object_storage, sign_in

BASE_DIR = Path(__file__).resolve().parent.parent
MEDGEN_VERSION = "0.1.0"
MEDGEN_HOME = env.path("MEDGEN_HOME", BASE_DIR / "var")
MEDGEN_ASSETS = env.path("MEDGEN_ASSETS", MEDGEN_HOME / "assets")
MEDGEN_OBJECT_STORAGE = object_storage.address(env.text("MEDGEN_OBJECT_STORAGE"))
MEDGEN_ASSETS_LIMIT = env.number("MEDGEN_ASSETS_LIMIT", 0)
MEDGEN_UPLOAD_BYTES = 2 * 1024**3

DEBUG = env.flag("MEDGEN_DEBUG")

home_folder.prepare(MEDGEN_HOME)
if not MEDGEN_ASSETS.is_relative_to(MEDGEN_HOME):
    home_folder.prepare(MEDGEN_ASSETS, "MEDGEN_ASSETS")
SECRET_KEY = home_folder.secret_key(MEDGEN_HOME, env.text("SECRET_KEY"))
ALLOWED_HOSTS = env.words("MEDGEN_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.words("MEDGEN_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "medgen",
    "annotation",
    "scoring",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
]

MIDDLEWARE = [
    "medgen.logs.log_requests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "medgen.middleware.security_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "medgen.trouble.RefusedValues",
]

ROOT_URLCONF = "medgen.urls"
WSGI_APPLICATION = "medgen.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "medgen.context.page",
            ],
            "builtins": ["medgen.templatetags.words"],
        },
    }
]

DATABASES = {"default": databases.database(env.text("DATABASE_URL"), home=MEDGEN_HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "annotation.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "annotation:sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "annotation:sign-in"
PASSWORD_RESET_TIMEOUT = 7 * 24 * 3600  # an invitation holds a week

MEDGEN_MFA = env.flag("MEDGEN_MFA")
MEDGEN_MFA_REQUIRED = sign_in.required_roles(env.words("MEDGEN_MFA_REQUIRED"))
MEDGEN_OIDC_ISSUER = env.text("MEDGEN_OIDC_ISSUER")
MEDGEN_OIDC_NAME = env.text("MEDGEN_OIDC_NAME", "single sign-on")
_PROVIDER = None
if MEDGEN_OIDC_ISSUER:
    _PROVIDER = sign_in.Provider(
        MEDGEN_OIDC_ISSUER, env.text("MEDGEN_OIDC_CLIENT_ID"), env.text("MEDGEN_OIDC_CLIENT_SECRET"), MEDGEN_OIDC_NAME
    )
    _PROVIDER.check()
INSTALLED_APPS += sign_in.apps(mfa=MEDGEN_MFA, provider=_PROVIDER)
MIDDLEWARE += sign_in.middleware(mfa=MEDGEN_MFA, provider=_PROVIDER)
globals().update(sign_in.values(mfa=MEDGEN_MFA, provider=_PROVIDER))

MEDGEN_PROXIES = env.number("MEDGEN_PROXIES", 0)
MEDGEN_ADDRESS_FAILURES = env.number("MEDGEN_ADDRESS_FAILURES", 100, least=10)
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "annotation.people.lockout.client_address"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "password", "next", "user_id", "csrfmiddlewaretoken"]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
FILE_UPLOAD_HANDLERS = ["annotation.datasets.uploads.BoundedUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024**2
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000
DATA_UPLOAD_MAX_NUMBER_FILES = 200

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "axes.W002",  # the views answer a pause themselves, in words
    "security.W005",  # whether sub-domains use HTTPS is for their owner to say
    "security.W021",
]
if env.flag("MEDGEN_HTTPS"):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
    SECURE_HSTS_SECONDS = 30 * 24 * 3600
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

MEDGEN_API_URLCONF = "medgen.api_routes"
MEDGEN_API_RATE = env.number("MEDGEN_API_RATE", 1200)
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "annotation.rest.schema.EndpointSchema"}
SPECTACULAR_SETTINGS = {
    "TITLE": "MedGEN",
    "DESCRIPTION": "Everything the pages do, by role and nothing more. docs/api.md explains it with examples.",
    "VERSION": "v1",
    "POSTPROCESSING_HOOKS": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "key": {"type": "http", "scheme": "bearer", "bearerFormat": "mg_…"},
            "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        }
    },
}

LOGGING = logs.configuration(
    as_json=env.choice("MEDGEN_LOG", ("words", "json")) == "json",
    level=env.choice("MEDGEN_LOG_LEVEL", ("WARNING", "INFO", "ERROR")),
    keep_messages=DEBUG,
)
