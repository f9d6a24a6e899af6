// SPDX-License-Identifier: Apache-2.0
#include "base/rfc3339.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <optional>

namespace helios::base {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_time;
using std::chrono::year_month_day;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes a text apart from its beginning. Once something was not as expected, everything fails.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // So many digits.
  int number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = 10 * value + digit();
    return value;
  }

  // One of these characters, which is returned.
  char one_of(std::string_view allowed) {
    if (rest_.empty() || !allowed.contains(rest_.front())) return fail();
    return take();
  }

  // ".123456", or nothing: milliseconds.
  int fraction() {
    if (!rest_.starts_with('.')) return 0;
    take();
    int ms = digit() * 100;
    for (int weight = 10; !rest_.empty() && is_digit(rest_.front()); weight /= 10)
      ms += digit() * weight;
    return ms;
  }

  [[nodiscard]] bool is_complete() const { return is_good_ && rest_.empty(); }

 private:
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  int digit() { return one_of("0123456789") - '0'; }
  char fail() {
    is_good_ = false;
    rest_ = {};
    return '0';
  }

  std::string_view rest_;
  bool is_good_ = true;
};

std::optional<sys_days> read_day(Reader& reader) {
  const std::chrono::year year(reader.number(4));
  reader.one_of("-");
  const std::chrono::month month(static_cast<unsigned>(reader.number(2)));
  reader.one_of("-");
  const year_month_day day(year, month, std::chrono::day(static_cast<unsigned>(reader.number(2))));
  return day.ok() ? std::optional<sys_days>(day) : std::nullopt;
}

std::optional<milliseconds> read_time(Reader& reader) {
  const int hour = reader.number(2);
  reader.one_of(":");
  const int minute = reader.number(2);
  reader.one_of(":");
  const int second = reader.number(2);
  const int ms = reader.fraction();
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return hours(hour) + minutes(minute) + seconds(second) + milliseconds(ms);
}

// What the local time is ahead of UTC.
std::optional<minutes> read_offset(Reader& reader) {
  const char sign = reader.one_of("Zz+-");
  if (sign == 'Z' || sign == 'z') return minutes(0);
  const int hour = reader.number(2);
  reader.one_of(":");
  const int minute = reader.number(2);
  if (hour > 23 || minute > 59) return std::nullopt;
  const minutes ahead = hours(hour) + minutes(minute);
  return sign == '-' ? -ahead : ahead;
}

}  // namespace

std::string to_rfc3339(std::int64_t ms) {
  const sys_time<milliseconds> moment{milliseconds(ms)};
  const auto midnight = std::chrono::floor<days>(moment);
  const year_month_day day(midnight);
  const std::chrono::hh_mm_ss time(moment - midnight);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                static_cast<unsigned>(day.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return text.data();
}

Result<std::int64_t> parse_rfc3339(std::string_view text) {
  Reader reader(text);
  const auto day = read_day(reader);
  reader.one_of("Tt");
  const auto time = read_time(reader);
  const auto ahead = read_offset(reader);
  if (!day || !time || !ahead || !reader.is_complete())
    return fail(Errc::invalid,
                "expected a time such as 2026-10-03T12:00:00Z or 2026-10-03T14:00:00.5+02:00");
  const sys_time<milliseconds> moment = *day + *time - *ahead;
  return moment.time_since_epoch().count();
}

}  // namespace helios::base
