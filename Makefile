# SPDX-License-Identifier: Apache-2.0
#
# Short names for tools/dev, which does the work.

.PHONY: build test check fmt bench demo demo-up demo-state demo-rate-limit demo-dedup demo-evidence clean

build test check fmt bench demo demo-up demo-state demo-rate-limit demo-dedup demo-evidence clean:
	@tools/dev $@
