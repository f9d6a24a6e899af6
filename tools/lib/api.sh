# SPDX-License-Identifier: Apache-2.0
#
# The admin interface against its own description. To be sourced.

# check-api [ARG...]: ARGs go to `schemathesis run`, such as --include-path /plugins or --max-examples 1000.
cmd_check_api() {
  cmd_setup
  setup_cached schemathesis "installing schemathesis" bash deps/build-schemathesis.sh
  build_preset dev heliosproxy
  HELIOS_BIN=$PROJECT_DIR/build/dev/bin/heliosproxy HELIOS_SOURCE_DIR=$PROJECT_DIR PYTHONDONTWRITEBYTECODE=1 \
    /usr/bin/python3 tests/api/check_api.py "$(bash deps/locate.sh schemathesis)/bin/schemathesis" "$@"
}
