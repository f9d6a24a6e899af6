;; SPDX-License-Identifier: Apache-2.0
;;
;; A plugin of ABI 1 written by hand, without any SDK: it counts the statements of each tenant.
;;
;; pre_query looks for "tenant_id":"..." in the JSON it is given, reads the decimal number under the
;; key `count:<tenant>`, adds one and writes it back. A statement without a tenant is not counted.
;; The get and the set are two calls, nothing here is atomic: that the count is exact all the same is
;; the proxy's doing.
;;
;; Memory: 1024 constants, 2048 the key, 4096 the value, 65536 and up the proxy's input.

(module
  (import "env" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))

  (memory (export "memory") 3)
  (data (i32.const 1024) "\"tenant_id\":\"")      ;; 13 bytes
  (data (i32.const 1056) "{\"action\":\"continue\"}")  ;; 21 bytes
  (data (i32.const 2048) "count:")                ;; 6 bytes, the tenant follows

  (global $next (mut i32) (i32.const 65536))

  ;; Room for `size` bytes; nothing is ever freed, for an instance lives for one call.
  (func (export "alloc") (param $size i32) (result i32)
    (local $start i32)
    (local $missing i32)
    (local.set $start (global.get $next))
    (global.set $next (i32.add (local.get $start) (local.get $size)))
    (local.set $missing
      (i32.sub (global.get $next) (i32.shl (memory.size) (i32.const 16))))
    (if (i32.gt_s (local.get $missing) (i32.const 0))
      (then
        (if (i32.eq
              (memory.grow
                (i32.add (i32.shr_u (local.get $missing) (i32.const 16)) (i32.const 1)))
              (i32.const -1))
          (then (return (i32.const 0))))))
    (local.get $start))

  (func (export "dealloc") (param i32 i32))

  ;; Do the `len` bytes at $a and $b agree?
  (func $equal (param $a i32) (param $b i32) (param $len i32) (result i32)
    (local $i i32)
    (block $differ
      (loop $next_byte
        (if (i32.eq (local.get $i) (local.get $len))
          (then (return (i32.const 1))))
        (br_if $differ
          (i32.ne
            (i32.load8_u (i32.add (local.get $a) (local.get $i)))
            (i32.load8_u (i32.add (local.get $b) (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next_byte)))
    (i32.const 0))

  ;; Copies the tenant behind "count:" and returns its length; 0 without one.
  (func $read_tenant (param $json i32) (param $len i32) (result i32)
    (local $at i32)
    (local $end i32)
    (local $count i32)
    (local $byte i32)
    (local.set $at (local.get $json))
    (local.set $end (i32.sub (i32.add (local.get $json) (local.get $len)) (i32.const 13)))
    (block $missing
      (block $found
        (loop $search
          (br_if $missing (i32.ge_s (local.get $at) (local.get $end)))
          (br_if $found (call $equal (local.get $at) (i32.const 1024) (i32.const 13)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $search)))
      (local.set $at (i32.add (local.get $at) (i32.const 13)))
      (loop $copy
        (local.set $byte (i32.load8_u (i32.add (local.get $at) (local.get $count))))
        ;; Names longer than 64 bytes share a counter.
        (if (i32.and
              (i32.ne (local.get $byte) (i32.const 34))
              (i32.lt_u (local.get $count) (i32.const 64)))
          (then
            (i32.store8 (i32.add (i32.const 2054) (local.get $count)) (local.get $byte))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br $copy)))))
    (local.get $count))

  ;; The decimal number in the `len` bytes at 4096.
  (func $parse (param $len i32) (result i64)
    (local $i i32)
    (local $number i64)
    (block $done
      (loop $digit
        (br_if $done (i32.ge_s (local.get $i) (local.get $len)))
        (local.set $number
          (i64.add
            (i64.mul (local.get $number) (i64.const 10))
            (i64.extend_i32_u
              (i32.sub (i32.load8_u (i32.add (i32.const 4096) (local.get $i))) (i32.const 48)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $digit)))
    (local.get $number))

  ;; Writes the number so that it ends before 4160; returns where it begins.
  (func $format (param $number i64) (result i32)
    (local $at i32)
    (local.set $at (i32.const 4160))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add
          (i32.wrap_i64 (i64.rem_u (local.get $number) (i64.const 10)))
          (i32.const 48)))
      (local.set $number (i64.div_u (local.get $number) (i64.const 10)))
      (br_if $digit (i64.ne (local.get $number) (i64.const 0))))
    (local.get $at))

  (func $count_one (param $key_len i32)
    (local $number i64)
    (local $start i32)
    (local.set $number
      (i64.add
        (call $parse
          (call $kv_get (i32.const 2048) (local.get $key_len) (i32.const 4096) (i32.const 32)))
        (i64.const 1)))
    (local.set $start (call $format (local.get $number)))
    (drop
      (call $kv_set (i32.const 2048) (local.get $key_len)
        (local.get $start) (i32.sub (i32.const 4160) (local.get $start)))))

  (func (export "pre_query") (param $json i32) (param $len i32) (result i64)
    (local $tenant_len i32)
    (local.set $tenant_len (call $read_tenant (local.get $json) (local.get $len)))
    (if (local.get $tenant_len)
      (then (call $count_one (i32.add (local.get $tenant_len) (i32.const 6)))))
    ;; (1056 << 32) | 21
    (i64.or (i64.shl (i64.const 1056) (i64.const 32)) (i64.const 21))))
