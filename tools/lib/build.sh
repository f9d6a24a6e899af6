# SPDX-License-Identifier: Apache-2.0
#
# Configuring and building a preset, and formatting. To be sourced.

PRESETS=(dev release tsan fuzz)

is_preset() {
  [[ " ${PRESETS[*]} " == *" $1 "* ]]
}

# build_preset PRESET [TARGET...]: configures when that was never done (CMake itself notices later changes) and builds.
build_preset() {
  local preset=$1 target targets=()
  shift
  for target in "$@"; do
    targets+=(--target "$target")
  done
  if [[ ! -f build/$preset/build.ninja ]]; then
    quietly "configuring $preset" cmake --preset "$preset"
  fi
  say "building $preset ${*:-everything}"
  # Ninja prints one line per step where it is not on a terminal; a failure must stay readable, the rest is noise.
  if [[ -t 1 ]]; then
    cmake --build "build/$preset" "${targets[@]}"
  else
    quietly "  (in build/$preset)" cmake --build "build/$preset" "${targets[@]}"
  fi
}

cmd_build() {
  local preset=dev
  if (($# > 0)) && is_preset "$1"; then
    preset=$1
    shift
  fi
  cmd_setup
  build_preset "$preset" "$@"
}

cmd_clean() {
  rm -rf build
}

cmd_fmt() {
  git ls-files -z --cached --others --exclude-standard -- '*.cpp' '*.hpp' '*.c' '*.h' | xargs -0 -r clang-format-19 -i
}
