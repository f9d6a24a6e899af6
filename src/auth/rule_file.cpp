// SPDX-License-Identifier: Apache-2.0

#include "auth/rule_file.hpp"

#include "auth/rule_lines.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

namespace helios::auth {
namespace {

constexpr std::size_t kMaxNesting = 10;
// Of all files together, each counted as often as it is read: a few lines could ask for any number of them.
constexpr std::size_t kMaxFiles = 10'000;
constexpr std::size_t kMaxTotalBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxTokens = 500'000;

// As the file system would find it from the file in which it stands.
std::string resolve(const std::string& from, std::string_view path) {
  const std::size_t slash = from.rfind('/');
  if (path.starts_with('/') || slash == std::string::npos) return std::string(path);
  return from.substr(0, slash + 1) + std::string(path);
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1));
}

bool is_directive(std::string_view word) {
  return word == "include" || word == "include_if_exists" || word == "include_dir";
}

class RuleFileReader {
 public:
  RuleFileReader(const FileReader& files, RuleProblems& problems)
      : files_(files), problems_(problems) {}

  using Taker = base::FunctionView<void(const RuleRecord&)>;

  base::Result<void> read(const std::string& path, Taker take) {
    const auto text = files_.read(path);
    if (!text) return std::unexpected(text.error());
    std::size_t count = 0;
    read_text(path, *text, [&](const RuleRecord& record) {
      if (++count <= kMaxRecords) {
        take(record);
      } else {
        stop(record.place, "more than 10000 records");
      }
    });
    return {};
  }

 private:
  // One line of a file, of which `file` is the name.
  struct Line {
    const std::shared_ptr<const std::string>& file;
    const RuleLine& text;

    [[nodiscard]] Place at(std::size_t offset) const {
      const auto [line, column] = text.position(offset);
      return {.file = file, .line = line, .column = column};
    }
  };

  void read_text(const std::string& path, std::string_view text, Taker take) {
    const auto file = std::make_shared<const std::string>(path);
    if (!count_file(text, {.file = file})) return;
    open_.push_back(path);
    RuleLines lines(text);
    RuleLine line;
    while (!is_stopped_ && lines.next(line)) read_line({.file = file, .text = line}, take);
    open_.pop_back();
  }

  void read_line(const Line& line, Taker take) {
    if (line.text.is_too_long()) {
      problems_.add(line.at(0), "this line, with those that continue it, is longer than 64 KiB");
      return;
    }
    auto split = split_line(line.text.text());
    if (split.wrong != nullptr) {
      problems_.add(line.at(split.wrong_at), split.wrong);
    } else if (!split.fields.empty() && is_directive(split.fields[0][0].text)) {
      follow(line, split.fields, take);
    } else if (!split.fields.empty()) {
      add_record(line, split.fields, take);
    }
  }

  void add_record(const Line& line, std::vector<LineField>& fields, Taker take) {
    RuleRecord record{.place = line.at(fields.front().front().begin),
                      .text = trimmed(line.text.text()),
                      .fields = {},
                      .end = line.at(fields.back().back().end)};
    for (auto& field : fields) record.fields.push_back(expanded(line, field));
    // Cut short otherwise.
    if (!is_stopped_) take(record);
  }

  RuleField expanded(const Line& line, LineField& field) {
    RuleField result;
    for (auto& token : field) {
      if (!count_token(line.at(token.begin))) break;
      const bool is_list = !token.is_quoted && token.text.size() > 1 && token.text[0] == '@';
      RuleToken plain{std::move(token.text), token.is_quoted, line.at(token.begin)};
      // What could not be read keeps its place, so that the fields behind it are looked at as what they are.
      if (!is_list || !take_list(plain, result)) result.push_back(std::move(plain));
    }
    return result;
  }

  // The tokens of the file that an "@FILE" names. False: there are none, and why is among the problems.
  bool take_list(const RuleToken& token, RuleField& out) {
    const std::size_t problems_before = problems_.added();
    const std::size_t size_before = out.size();
    const std::string path = resolve(*token.place.file, token.text.substr(1));
    include(token.place, path, false, [&out](const RuleRecord& record) {
      for (const auto& field : record.fields) std::ranges::copy(field, std::back_inserter(out));
    });
    if (out.size() > size_before) return true;
    if (problems_.added() == problems_before) {
      problems_.add(token.place, in_quotes(token.text) +
                                     ": the file names nothing; take this line out, or put a name "
                                     "into the file");
    }
    return false;
  }

  void follow(const Line& line, const std::vector<LineField>& fields, Taker take) {
    const std::string& directive = fields[0][0].text;
    if (fields.size() != 2 || fields[0].size() != 1 || fields[1].size() != 1) {
      problems_.add(line.at(fields[0][0].begin),
                    directive +
                        " takes one path: put it between quotes if it has blanks or "
                        "commas in it");
      return;
    }
    const LineToken& token = fields[1][0];
    const Place place = line.at(token.begin);
    if (directive == "include_dir") {
      include_folder(place, token.text, take);
    } else {
      include(place, resolve(*place.file, token.text), directive == "include_if_exists", take);
    }
  }

  void include(const Place& place, const std::string& path, bool may_be_missing, Taker take) {
    if (const auto problem = nesting_problem(path)) {
      problems_.add(place, *problem);
      return;
    }
    const auto text = files_.read(path);
    if (text) {
      read_text(path, *text, take);
    } else if (!may_be_missing || text.error().code != base::Errc::not_found) {
      problems_.add(place, "cannot be included: " + message_of(text.error()));
    }
  }

  void include_folder(const Place& place, std::string_view name, Taker take) {
    const std::string folder = resolve(*place.file, name);
    auto names = files_.list(folder);
    if (!names) {
      problems_.add(place, "cannot be included: " + message_of(names.error()));
      return;
    }
    std::erase_if(*names, [](const std::string& each) {
      return each.starts_with('.') || !each.ends_with(".conf");
    });
    std::ranges::sort(*names);
    const std::string prefix = folder.ends_with('/') ? folder : folder + "/";
    for (const auto& each : *names) {
      if (is_stopped_) return;
      include(place, prefix + each, false, take);
    }
  }

  // Why `path` cannot be read within the files that are being read.
  [[nodiscard]] std::optional<std::string> nesting_problem(const std::string& path) const {
    if (std::ranges::find(open_, path) != open_.end()) {
      return in_quotes(path) + " includes itself: take one of the lines out that lead back to it";
    }
    if (open_.size() > kMaxNesting) {
      return in_quotes(path) + " would be more than ten files within each other";
    }
    return std::nullopt;
  }

  static std::string message_of(const base::Error& error) {
    constexpr std::size_t kMaxMessageBytes = 4096;
    return base::escape_for_log(error.message, kMaxMessageBytes);
  }

  bool count_file(std::string_view text, const Place& place) {
    ++files_read_;
    total_bytes_ += text.size();
    if (text.size() > FileReader::kMaxBytes) {
      problems_.add(place, "the file is larger than 1 MiB");
      return false;
    }
    return files_read_ <= kMaxFiles && total_bytes_ <= kMaxTotalBytes
               ? true
               : stop(place, "the files that are included are more than 10000, or 64 MiB");
  }

  bool count_token(const Place& place) {
    if (is_stopped_) return false;
    return ++tokens_ <= kMaxTokens ? true
                                   : stop(place, "the files have more than 500000 words in all");
  }

  // What comes is not read any more.
  bool stop(const Place& place, std::string_view why) {
    problems_.add(place, why);
    is_stopped_ = true;
    return false;
  }

  const FileReader& files_;
  RuleProblems& problems_;
  std::vector<std::string> open_;  // those that are being read, each within the one before it
  std::size_t files_read_ = 0;
  std::size_t total_bytes_ = 0;
  std::size_t tokens_ = 0;
  bool is_stopped_ = false;
};

}  // namespace

base::Result<void> read_rule_file(const std::string& path, const FileReader& files,
                                  RuleProblems& problems,
                                  base::FunctionView<void(const RuleRecord&)> take) {
  return RuleFileReader(files, problems).read(path, take);
}

}  // namespace helios::auth
