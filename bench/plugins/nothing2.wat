;; SPDX-License-Identifier: Apache-2.0
;; A pre_query hook of ABI 2 that does nothing: what a call costs by itself.
(module
  (memory (export "memory") 1)
  (func (export "helios_abi_version") (result i32) (i32.const 2))
  (func (export "pre_query") (result i32) (i32.const 0)))
