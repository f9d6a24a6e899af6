// SPDX-License-Identifier: Apache-2.0

// Goal: what is remembered of a text is what was learnt of that text, whatever else was learnt meanwhile.

#include "cost-governor/recall.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace helios::cost_governor {
namespace {

plugin::StringView view(const std::string& text) { return {text.data(), text.size()}; }

TEST(Recall, KnowsWhatItWasTold_AndNothingElse) {
  Recall<int> recall;
  EXPECT_EQ(recall.find(""), nullptr);
  recall.learn("", 1);
  EXPECT_EQ(recall.find(""), nullptr) << "nothing is never remembered";
  recall.learn("{\"minute\":1}", 7);
  ASSERT_NE(recall.find("{\"minute\":1}"), nullptr);
  EXPECT_EQ(*recall.find("{\"minute\":1}"), 7);
  EXPECT_EQ(recall.find("{\"minute\":2}"), nullptr);
  EXPECT_EQ(recall.find("{\"minute\":1"), nullptr);
}

TEST(Recall, LongTexts_AreReadEachTime) {
  Recall<int> recall;
  const std::string longest(Recall<int>::kMaxTextBytes, 'x');
  recall.learn(view(longest), 1);
  EXPECT_NE(recall.find(view(longest)), nullptr);
  recall.learn(view(longest + "x"), 2);
  EXPECT_EQ(recall.find(view(longest + "x")), nullptr);
}

TEST(Recall, FindsNothingButTheTruth) {
  std::mt19937 random(3);
  Recall<int> recall;
  std::map<std::string, int> truth;
  int found = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text(1 + random() % 12, static_cast<char>('a' + random() % 4));
    if (random() % 2 == 0) {
      const int meaning = static_cast<int>(random() % 1000);
      recall.learn(view(text), truth[text] = meaning);
    } else if (const int* known = recall.find(view(text))) {
      ASSERT_EQ(*known, truth.at(text)) << text;
      ++found;
    }
  }
  EXPECT_GT(found, 1000);
}

}  // namespace
}  // namespace helios::cost_governor
