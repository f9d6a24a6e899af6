// SPDX-License-Identifier: Apache-2.0
#pragma once

// Remembers what texts mean that were read lately, since the same few are read for every statement: reading JSON costs a
// statement more than all else that the plugin does. What a text means depends on nothing but the text, so that an instance that is
// kept for later calls, of whatever tenant, may remember it. Texts that are long are read each time.

#include "helios/plugin.hpp"

#include <stddef.h>
#include <stdint.h>

namespace helios::cost_governor {

// `Meaning` owns no memory: what a hook allocates is gone with its call.
template <class Meaning>
class Recall {
 public:
  static constexpr size_t kMaxTextBytes = 448;

  // Null: it is not remembered. The meaning stays until the next learn().
  [[nodiscard]] const Meaning* find(plugin::StringView text) const {
    const Slot& slot = slots_[slot_of(text)];
    return slot.bytes == text.size() && slot.bytes != 0 && is_same(slot.text, text) ? &slot.meaning
                                                                                    : nullptr;
  }

  void learn(plugin::StringView text, const Meaning& meaning) {
    if (text.empty() || text.size() > kMaxTextBytes) return;
    Slot& slot = slots_[slot_of(text)];
    for (size_t i = 0; i < text.size(); ++i) slot.text[i] = text[i];
    slot.bytes = text.size();
    slot.meaning = meaning;
  }

 private:
  struct Slot {
    size_t bytes = 0;  // 0: nothing is remembered
    Meaning meaning;
    char text[kMaxTextBytes] = {};
  };
  static constexpr size_t kSlots = 16;

  static uint64_t word_at(const char* text) {
    uint64_t word;
    __builtin_memcpy(&word, text, sizeof word);
    return word;
  }

  static bool is_same(const char* kept, plugin::StringView text) {
    size_t at = 0;
    for (; text.size() - at >= sizeof(uint64_t); at += sizeof(uint64_t))
      if (word_at(kept + at) != word_at(text.data() + at)) return false;
    for (; at < text.size(); ++at)
      if (kept[at] != text[at]) return false;
    return true;
  }

  static size_t slot_of(plugin::StringView text) {
    uint64_t hash = text.size();
    for (size_t at = 0; text.size() - at >= sizeof(uint64_t); at += sizeof(uint64_t))
      hash = (hash ^ word_at(text.data() + at)) * 0x9E3779B97F4A7C15;
    return (hash >> 32) % kSlots;
  }

  Slot slots_[kSlots];
};

}  // namespace helios::cost_governor
