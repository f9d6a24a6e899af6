# SPDX-License-Identifier: Apache-2.0
#
# Running the product itself: the proxy and the demo, from a release build. To be sourced.

DEMO=demos/v0.4.0/03-plugin-kv/demo.sh
STATE_DEMO=demos/v0.4.0/04-state-survives/demo.sh

# The target "product" is heliosproxy and the first-party plugins, without the tests.
build_product() {
  cmd_setup
  build_preset release product
}

cmd_run() {
  build_product
  exec build/release/bin/heliosproxy "$@"
}

cmd_demo() {
  build_product
  export HELIOS_BIN=$PROJECT_DIR/build/release/bin/heliosproxy
  export HELIOS_PLUGIN_DIR=$PROJECT_DIR/build/release/plugins
  export HELIOS_BUILD_DIR=$PROJECT_DIR/build/release HELIOS_SOURCE_DIR=$PROJECT_DIR
  HELIOS_PG17=$(bash deps/locate.sh postgres17)
  export HELIOS_PG17
  if [[ ${1:-} == --state-survives ]]; then
    exec "$STATE_DEMO" "${@:2}"
  fi
  exec "$DEMO" "$@"
}
