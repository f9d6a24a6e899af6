// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/archive.hpp"

#include "kv/limits.hpp"
#include "kv/rocksdb/slices.hpp"

#include <rocksdb/file_system.h>
#include <rocksdb/iterator.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

namespace helios::kv::rocksdb {
namespace {

namespace fs = std::filesystem;
using ::rocksdb::Status;

constexpr std::string_view kEnding = ".sst";
constexpr std::string_view kUnfinished = ".unfinished";
constexpr std::size_t kNumberDigits = 20;
constexpr std::size_t kMaxOpened = 8;

std::string digits(RecordNumber number) {
  const std::string text = std::to_string(number);
  return std::string(kNumberDigits - text.size(), '0') + text;
}

std::optional<RecordNumber> number_in(std::string_view text) {
  RecordNumber number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Nullopt: not the name of a segment.
std::optional<Archive::Segment> segment_called(const fs::path& path) {
  const std::string name = path.filename();
  if (name.size() != 2 * kNumberDigits + 1 + kEnding.size() || !name.ends_with(kEnding))
    return std::nullopt;
  const auto first = number_in(std::string_view(name).substr(0, kNumberDigits));
  const auto last = number_in(std::string_view(name).substr(kNumberDigits + 1, kNumberDigits));
  if (!first || !last || *first < 1 || *first > *last) return std::nullopt;
  return Archive::Segment{.first = *first, .next = *last + 1, .path = path};
}

std::string key_of(StreamName stream) {
  std::string key;
  put_stream(key, stream.space, stream.stream);
  return key;
}

::rocksdb::Options table_options(::rocksdb::Env* env) {
  ::rocksdb::Options options;
  options.env = env;
  options.compression = ::rocksdb::kZSTD;
  return options;
}

base::Error cannot(const std::string& path, const std::string& why) {
  return {base::Errc::unavailable, "archive " + path + ": " + why};
}

// Follows a chain as its records come, and notes what their head is.
class ChainCheck {
 public:
  explicit ChainCheck(const SegmentSource& source) : max_bytes_(source.max_bytes) {
    head_.extent.first = head_.extent.next = source.first;
    head_.before = head_.last = source.before;
  }
  // False: it is not the next one.
  bool add(RecordNumber number, std::int64_t time_ms, const base::Sha256Digest& digest,
           std::string_view bytes) {
    head_.last = next_digest(sha_, head_.last, bytes);
    const bool is_next = number == head_.extent.next && digest == head_.last;
    head_.extent.next = number + 1;
    head_.extent.bytes += record_bytes(bytes.size());
    head_.extent.last_time_ms = time_ms;
    return is_next;
  }
  [[nodiscard]] bool is_full() const { return head_.extent.bytes >= max_bytes_; }
  [[nodiscard]] const StreamHead& head() const { return head_; }

 private:
  const std::uint64_t max_bytes_;
  base::Sha256 sha_;
  StreamHead head_;
};

bool is_same(const StreamHead& one, const StreamHead& other) {
  return one.extent == other.extent && one.before == other.before && one.last == other.last;
}

}  // namespace

Archive::Archive(std::string folder, const std::shared_ptr<::rocksdb::FileSystem>& file_system)
    : folder_(std::move(folder)),
      env_(::rocksdb::NewCompositeEnv(file_system ? file_system
                                                  : ::rocksdb::FileSystem::Default())) {}

base::Result<std::unique_ptr<Archive>> Archive::open(
    const std::string& folder, bool read_only,
    const std::shared_ptr<::rocksdb::FileSystem>& file_system) {
  std::unique_ptr<Archive> archive(new Archive(folder, file_system));
  if (auto found = archive->find_segments(read_only); !found) return std::unexpected(found.error());
  return archive;
}

base::Result<void> Archive::find_segments(bool read_only) {
  std::error_code error;
  if (!read_only && !fs::is_directory(folder_, error)) {
    fs::create_directories(folder_, error);
    if (!error) fs::permissions(folder_, fs::perms::owner_all, error);
  }
  fs::recursive_directory_iterator at(folder_, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const fs::path& path = at->path();
    if (!read_only && path.native().ends_with(kUnfinished)) fs::remove(path, error);
    const auto segment = segment_called(path);
    if (!segment || at.depth() != 2) continue;
    const std::string stream = path.parent_path().filename();
    const std::string space = path.parent_path().parent_path().filename();
    streams_[key_of({space, stream})].emplace(segment->first, *segment);
  }
  if (error) return std::unexpected(cannot(folder_, "cannot be read: " + error.message()));
  return {};
}

std::string Archive::folder_of(StreamName stream) const {
  return folder_ + "/" + std::string(stream.space) + "/" + std::string(stream.stream);
}

base::Error Archive::explain(const std::string& path, const Status& status) const {
  if (status.IsCorruption()) {
    return {base::Errc::invalid,
            "segment " + path + " is damaged (" + status.ToString() + "): restore it from a copy"};
  }
  return cannot(path, status.ToString());
}

// ---- Writing

base::Result<StreamHead> Archive::add(const SegmentSource& source) {
  const std::string folder = folder_of(source.stream);
  std::string path;
  {
    const std::scoped_lock lock(mutex_);
    const Segments& there = streams_[key_of(source.stream)];
    if (const auto found = there.find(source.first); found != there.end())
      path = found->second.path;
  }
  if (!path.empty()) return check(path, source);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return std::unexpected(cannot(folder, "cannot be made: " + error.message()));
  const std::string unfinished = folder + "/" + digits(source.first) + std::string(kUnfinished);
  auto head = write(unfinished, source);
  if (head) {
    const auto checked = check(unfinished, source);
    if (!checked) {
      head = std::unexpected(checked.error());
    } else if (!is_same(*head, *checked)) {
      head = std::unexpected(explain(unfinished, Status::Corruption("it is not what was written")));
    }
  }
  if (!head) {
    fs::remove(unfinished, error);
    return head;
  }
  const std::string finished = folder + "/" + digits(head->extent.first) + "-" +
                               digits(head->extent.next - 1) + std::string(kEnding);
  if (auto named = name(unfinished, finished); !named) return std::unexpected(named.error());
  const std::scoped_lock lock(mutex_);
  streams_[key_of(source.stream)][head->extent.first] = {head->extent.first, head->extent.next,
                                                         finished};
  return head;
}

// On disk, name and all, before anybody relies on it.
base::Result<void> Archive::name(const std::string& from, const std::string& to) {
  Status status = env_->RenameFile(from, to);
  std::unique_ptr<::rocksdb::FSDirectory> folder;
  const auto& files = env_->GetFileSystem();
  if (status.ok()) status = files->NewDirectory(fs::path(to).parent_path(), {}, &folder, nullptr);
  if (status.ok()) status = folder->Fsync({}, nullptr);
  if (status.ok()) return {};
  std::error_code error;
  fs::remove(to, error);
  return std::unexpected(explain(to, status));
}

base::Result<StreamHead> Archive::write(const std::string& path, const SegmentSource& source) {
  const ::rocksdb::Options options = table_options(env_.get());
  ::rocksdb::SstFileWriter writer({}, options);
  Status status = writer.Open(path);
  const std::string stream = key_of(source.stream);
  ChainCheck chain(source);
  std::string key;
  std::string value;
  while (status.ok() && !chain.is_full() && chain.head().extent.next < source.end) {
    const auto page = source.read(chain.head().extent.next);
    if (!page) return std::unexpected(page.error());
    if (page->records.empty()) break;
    for (const StreamRecord& record : page->records) {
      if (!status.ok() || chain.is_full() || record.number >= source.end) break;
      if (!chain.add(record.number, record.time_ms, record.digest, record.bytes)) {
        return base::fail(base::Errc::invalid, "record " + std::to_string(record.number) + " of " +
                                                   std::string(source.stream.space) + "/" +
                                                   std::string(source.stream.stream) +
                                                   " does not follow the one before it");
      }
      key.assign(1, kRecordTag);
      key += stream;
      put_number(key, record.number);
      value.clear();
      put_record_value(value, record);
      status = writer.Put(slice(key), slice(value));
    }
  }
  if (status.ok())
    status = writer.Put(slice(kSegmentTag + stream), slice(head_value(chain.head())));
  if (status.ok()) status = writer.Finish();
  if (!status.ok()) return std::unexpected(explain(path, status));
  return chain.head();
}

// Reads all of it.
base::Result<StreamHead> Archive::check(const std::string& path, const SegmentSource& source) {
  auto reader = this->reader(path, source.stream);
  if (!reader) return std::unexpected(reader.error());
  const auto stored = reader->head(kSegmentTag);
  ChainCheck chain(source);
  for (RecordNumber number = source.first; stored && number < stored->extent.next; ++number) {
    const auto record = number == source.first ? reader->record(number) : reader->next(number);
    if (!record || !chain.add(number, record->time_ms, record->digest, record->bytes)) break;
  }
  if (reader->error()) return std::unexpected(*reader->error());
  if (!stored || !is_same(*stored, chain.head()))
    return std::unexpected(explain(path, Status::Corruption("its records make no chain")));
  return *stored;
}

// ---- Reading

RecordNumber Archive::first_before(StreamName stream, RecordNumber next) {
  const std::scoped_lock lock(mutex_);
  const auto found = streams_.find(key_of(stream));
  if (found == streams_.end()) return next;
  const Segments& segments = found->second;
  // A segment may reach beyond: it was written, and the database still has its records.
  auto at = segments.lower_bound(next);
  while (at != segments.begin()) {
    const Segment& before = std::prev(at)->second;
    if (before.next < next) break;
    next = before.first;
    --at;
  }
  return next;
}

base::Result<Archive::Segment> Archive::segment_of(StreamName stream, RecordNumber number) {
  const std::scoped_lock lock(mutex_);
  const auto found = streams_.find(key_of(stream));
  if (found != streams_.end()) {
    const auto behind = found->second.upper_bound(number);
    if (behind != found->second.begin() && std::prev(behind)->second.next > number)
      return std::prev(behind)->second;
  }
  return std::unexpected(
      cannot(folder_of(stream), "record " + std::to_string(number) + " was removed meanwhile"));
}

base::Result<std::shared_ptr<::rocksdb::SstFileReader>> Archive::open_file(
    const std::string& path) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find(opened_, path, &Opened::path);
    if (found != opened_.end()) {
      opened_.splice(opened_.begin(), opened_, found);
      return found->file;
    }
  }
  auto file = std::make_shared<::rocksdb::SstFileReader>(table_options(env_.get()));
  if (const Status status = file->Open(path); !status.ok())
    return std::unexpected(explain(path, status));
  if (!path.ends_with(kEnding)) return file;  // it gets another name
  const std::scoped_lock lock(mutex_);
  opened_.push_front({path, file});
  if (opened_.size() > kMaxOpened) opened_.pop_back();
  return file;
}

base::Result<StreamReader> Archive::reader(const std::string& path, StreamName stream) {
  auto file = open_file(path);
  if (!file) return std::unexpected(file.error());
  std::unique_ptr<::rocksdb::Iterator> at((*file)->NewIterator({}));
  // The file stays open as long as somebody reads in it.
  return StreamReader(
      std::move(at), key_of(stream),
      [this, path, file = *file](const Status& status) { return explain(path, status); });
}

base::Result<std::int64_t> Archive::time_of(StreamName stream, RecordNumber number) {
  const auto segment = segment_of(stream, number);
  if (!segment) return std::unexpected(segment.error());
  auto reader = this->reader(segment->path, stream);
  if (!reader) return std::unexpected(reader.error());
  const auto record = reader->record(number);
  if (!record) return std::unexpected(*reader->error());
  return record->time_ms;
}

base::Result<bool> Archive::read(StreamName stream, RecordNumber from, RecordNumber end,
                                 const StreamRange& range, StreamPage& page) {
  while (from < end) {
    const auto segment = segment_of(stream, from);
    if (!segment) return std::unexpected(segment.error());
    auto reader = this->reader(segment->path, stream);
    if (!reader) return std::unexpected(reader.error());
    if (page.records.empty()) {
      const auto head = reader->head(kSegmentTag);
      const auto previous = from > segment->first ? reader->record(from - 1) : std::nullopt;
      if (head) page.before = previous ? previous->digest : head->before;
    }
    const RecordNumber until = std::min(end, segment->next);
    const bool is_full = read_records(*reader, from, until, range, page);
    if (reader->error()) return std::unexpected(*reader->error());
    if (is_full) return true;
    from = until;
  }
  return false;
}

base::Result<std::size_t> Archive::remove_older(std::int64_t time_ms) {
  std::vector<std::string> streams;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [stream, segments] : streams_) streams.push_back(stream);
  }
  std::size_t removed = 0;
  for (const std::string& stream : streams) {
    for (;;) {
      const auto went = remove_oldest(stream, time_ms);
      if (!went) return std::unexpected(went.error());
      if (!*went) break;
      ++removed;
    }
  }
  return removed;
}

// Unless its last record is not older.
base::Result<bool> Archive::remove_oldest(const std::string& stream, std::int64_t time_ms) {
  const std::string head_key = kHeadTag + stream;
  const StreamName name = parse_head_key(head_key).value();  // views it
  const auto oldest = segments(name);
  if (oldest.empty()) return false;
  auto reader = this->reader(oldest.front().path, name);
  if (!reader) return std::unexpected(reader.error());
  const auto head = reader->head(kSegmentTag);
  if (reader->error()) return std::unexpected(*reader->error());
  if (!head || head->extent.last_time_ms >= time_ms) return false;
  {
    const std::scoped_lock lock(mutex_);
    streams_[stream].erase(oldest.front().first);
    std::erase_if(opened_, [&](const Opened& it) { return it.path == oldest.front().path; });
  }
  const Status status = env_->DeleteFile(oldest.front().path);
  if (!status.ok()) return std::unexpected(explain(oldest.front().path, status));
  return true;
}

std::vector<Archive::Segment> Archive::segments(StreamName stream) {
  const std::scoped_lock lock(mutex_);
  std::vector<Segment> all;
  const auto found = streams_.find(key_of(stream));
  if (found != streams_.end()) {
    for (const auto& [first, segment] : found->second) all.push_back(segment);
  }
  return all;
}

}  // namespace helios::kv::rocksdb
