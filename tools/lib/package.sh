# SPDX-License-Identifier: Apache-2.0
#
# The packages of a release build: Debian's and an image for containers. To be sourced.

# Only those who make packages need these.
PACKAGE_TOOLS=(binutils dpkg-dev mmdebstrap umoci)
PACKAGE_TEST_TOOLS=(iproute2 man-db systemd util-linux)

# package [--test]: makes them, and with --test installs and runs them, which needs root.
cmd_package() {
  [[ $# -eq 0 || $* == --test ]] || die "package: the only argument is --test"
  install_missing "${PACKAGE_TOOLS[@]}"
  build_product
  say "making the packages"
  packaging/build_deb.sh
  packaging/build_image.sh
  if [[ ${1:-} == --test ]]; then
    install_missing "${PACKAGE_TEST_TOOLS[@]}"
    say "testing the packages"
    HELIOS_SOURCE_DIR=$PROJECT_DIR PYTHONDONTWRITEBYTECODE=1 \
      /usr/bin/python3 -m pytest -v -p no:cacheprovider -rs tests/packages
  fi
}
