# SPDX-License-Identifier: Apache-2.0
#
# Running the product itself: the proxy and the demos, from a release build. To be sourced.

DEMOS=demos/v0.4.0

# The target "product" is heliosproxy and the first-party plugins, without the tests.
build_product() {
  cmd_setup
  build_preset release product
}

cmd_run() {
  build_product
  exec build/release/bin/heliosproxy "$@"
}

# cmd_demo FOLDER [ARG...]
cmd_demo() {
  build_product
  export HELIOS_BIN=$PROJECT_DIR/build/release/bin/heliosproxy
  export HELIOS_PLUGIN_DIR=$PROJECT_DIR/build/release/plugins
  export HELIOS_BUILD_DIR=$PROJECT_DIR/build/release HELIOS_SOURCE_DIR=$PROJECT_DIR
  HELIOS_PG17=$(bash deps/locate.sh postgres17)
  export HELIOS_PG17
  exec "$DEMOS/$1/demo.sh" "${@:2}"
}
