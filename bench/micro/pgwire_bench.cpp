// SPDX-License-Identifier: Apache-2.0

#include "pgwire/frame_reader.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace helios::pgwire {
namespace {

// A result as it comes: DataRow messages of range(0) bytes, read in pieces of 64 KiB.
void frame_reader_streams_rows(benchmark::State& state) {
  const auto body = static_cast<std::size_t>(state.range(0));
  std::string rows;
  while (rows.size() < (64U << 10)) {
    const auto length = static_cast<std::uint32_t>(body + 4);
    rows += 'D';
    for (int shift = 24; shift >= 0; shift -= 8) rows += static_cast<char>(length >> shift & 0xff);
    rows.append(body, 'x');
  }
  FrameReader reader;
  for (auto _ : state) {
    std::string_view input = rows;
    for (auto step = reader.next(input); step != FrameReader::Step::need_more;
         step = reader.next(input)) {
      if (step == FrameReader::Step::header) reader.stream();
      benchmark::DoNotOptimize(step);
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * rows.size()));
}
BENCHMARK(frame_reader_streams_rows)->Arg(20)->Arg(200)->Arg(2000);

}  // namespace
}  // namespace helios::pgwire
