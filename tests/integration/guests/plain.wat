;; SPDX-License-Identifier: Apache-2.0
;;
;; A guest of ABI 1 that owes nothing to the C++ SDK: written by hand, with a bump allocator that never frees, the other
;; dialect of answers ({"kind": ...}), and a state of its own making (a 32-bit counter under the key "calls", kept as
;; one byte per decimal digit, four digits). Refuses statements whose text holds a '#'.
(module
  (import "env" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "calls")
  (data (i32.const 32) "{\"kind\":\"continue\"}")
  (data (i32.const 64) "{\"kind\":\"block\",\"reason\":\"no # please\"}")
  ;; 128: the counter's digits
  (global $top (mut i32) (i32.const 65536))

  (func (export "alloc") (param $size i32) (result i32)
    (local $block i32)
    (local.set $block (global.get $top))
    (global.set $top (i32.add (global.get $top) (local.get $size)))
    (local.get $block))
  (func (export "dealloc") (param i32 i32))

  ;; Adds one to the digits at 128.
  (func $increment
    (local $at i32)
    (local.set $at (i32.const 131))
    (loop $carry
      (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 57))
        (then
          (i32.store8 (local.get $at) (i32.const 48))
          (local.set $at (i32.sub (local.get $at) (i32.const 1)))
          (br $carry))
        (else
          (i32.store8 (local.get $at) (i32.add (i32.load8_u (local.get $at)) (i32.const 1)))))))

  (func $has_hash (param $ptr i32) (param $len i32) (result i32)
    (loop $next
      (if (i32.eqz (local.get $len)) (then (return (i32.const 0))))
      (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 35)) (then (return (i32.const 1))))
      (local.set $ptr (i32.add (local.get $ptr) (i32.const 1)))
      (local.set $len (i32.sub (local.get $len) (i32.const 1)))
      (br $next))
    (unreachable))

  (func $answer (param $ptr i32) (param $len i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32)) (i64.extend_i32_u (local.get $len))))

  (func (export "pre_query") (param $ptr i32) (param $len i32) (result i64)
    (if (call $has_hash (local.get $ptr) (local.get $len))
      (then (return (call $answer (i32.const 64) (i32.const 39)))))
    (i32.store (i32.const 128) (i32.const 0x30303030))
    (drop (call $kv_get (i32.const 16) (i32.const 5) (i32.const 128) (i32.const 4)))
    (call $increment)
    (drop (call $kv_set (i32.const 16) (i32.const 5) (i32.const 128) (i32.const 4)))
    (call $answer (i32.const 32) (i32.const 19))))
