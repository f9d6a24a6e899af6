;; SPDX-License-Identifier: Apache-2.0
;;
;; A plugin of ABI 2 that has every hook of a statement, and objects to nothing.

(module
  (memory (export "memory") 1)
  (func (export "helios_abi_version") (result i32) (i32.const 2))
  (func (export "pre_query") (result i32) (i32.const 0))
  (func (export "post_query") (result i32) (i32.const 0))
  (func (export "settled") (result i32) (i32.const 0)))
