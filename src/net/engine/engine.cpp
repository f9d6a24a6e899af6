// SPDX-License-Identifier: Apache-2.0

#include "net/engine/engine.hpp"

#include "net/engine/uring_engine.hpp"

namespace helios::net {
namespace {

// ThreadSanitizer does not see that what happens before a request happens before its completion: it
// would report races where there are none.
#if defined(HELIOS_TSAN)
constexpr bool kIsTsanBuild = true;
#else
constexpr bool kIsTsanBuild = false;
#endif

}  // namespace

std::string_view to_string(EngineKind kind) {
  switch (kind) {
    case EngineKind::io_uring: return "io_uring";
    case EngineKind::epoll: return "epoll";
  }
  return "";
}

base::Result<ChosenEngine> choose_engine(config::EngineChoice wanted) {
  if (wanted == config::EngineChoice::epoll) {
    return ChosenEngine{EngineKind::epoll, ""};
  }
  if (wanted == config::EngineChoice::automatic && kIsTsanBuild) {
    return ChosenEngine{EngineKind::epoll, "ThreadSanitizer does not understand io_uring"};
  }
  const auto tried = try_uring();
  if (tried) {
    return ChosenEngine{EngineKind::io_uring, ""};
  }
  if (wanted == config::EngineChoice::io_uring) {
    return base::fail(tried.error().code, "io_uring does not work here: " + tried.error().message);
  }
  return ChosenEngine{EngineKind::epoll, tried.error().message};
}

base::Result<std::unique_ptr<Engine>> make_engine(EngineKind kind) {
  return kind == EngineKind::io_uring ? make_uring_engine() : make_epoll_engine();
}

}  // namespace helios::net
