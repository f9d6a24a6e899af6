// SPDX-License-Identifier: Apache-2.0

#include "net/cancel_registry.hpp"

#include <utility>

namespace helios::net {

void CancelRegistry::add(const pgwire::CancelKey& key, CancelSink& sink, SessionId session) {
  const std::lock_guard lock(mutex_);
  owners_[key] = {&sink, session};
}

void CancelRegistry::remove(const pgwire::CancelKey& key, const CancelSink& sink,
                            SessionId session) {
  const std::lock_guard lock(mutex_);
  const auto found = owners_.find(key);
  if (found != owners_.end() && found->second.sink == &sink && found->second.session == session) {
    owners_.erase(found);
  }
}

bool CancelRegistry::deliver(const pgwire::CancelKey& key, base::Task done) {
  Owner owner;
  {
    const std::lock_guard lock(mutex_);
    const auto found = owners_.find(key);
    if (found == owners_.end()) {
      return false;
    }
    owner = found->second;
  }
  owner.sink->cancel(owner.session, std::move(done));
  return true;
}

std::size_t CancelRegistry::size() const {
  const std::lock_guard lock(mutex_);
  return owners_.size();
}

}  // namespace helios::net
