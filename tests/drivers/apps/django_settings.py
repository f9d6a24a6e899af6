# SPDX-License-Identifier: Apache-2.0
"""Of Django's own test suite."""

import os

DATABASES = {name: {"ENGINE": "django.db.backends.postgresql", "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"],
                    "USER": os.environ["PGUSER"], "NAME": name + "_django"} for name in ("default", "other")}
SECRET_KEY = "none"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
