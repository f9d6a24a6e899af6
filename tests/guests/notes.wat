;; SPDX-License-Identifier: Apache-2.0
;;
;; Keeps what it is given: the input of pre_query under the key "pre", that of post_query under "post", and the SHA-256
;; digest of the latter under "digest".

(module
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (import "env" "sha256_hex" (func $sha256_hex (param i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (func (export "alloc") (param i32) (result i32) (i32.const 65536))
  (func (export "dealloc") (param i32 i32))
  (data (i32.const 1024) "pre")
  (data (i32.const 1032) "post")
  (data (i32.const 1040) "digest")
  (func (export "pre_query") (param $json i32) (param $len i32) (result i64)
    (drop (call $kv_set (i32.const 1024) (i32.const 3) (local.get $json) (local.get $len)))
    (i64.const 0))
  ;; Answers nothing, as an observer may.
  (func (export "post_query") (param $json i32) (param $len i32)
    (drop (call $kv_set (i32.const 1032) (i32.const 4) (local.get $json) (local.get $len)))
    (drop (call $sha256_hex (local.get $json) (local.get $len) (i32.const 2048)))
    (drop (call $kv_set (i32.const 1040) (i32.const 6) (i32.const 2048) (i32.const 64)))))
