// SPDX-License-Identifier: Apache-2.0

#include "net/engine/deferred.hpp"

namespace helios::net {

void DeferredLink::unlink() {
  previous_->next_ = next_;
  next_->previous_ = previous_;
  previous_ = next_ = this;
}

void DeferredLink::insert_before_this(DeferredLink& link) {
  link.previous_ = previous_;
  link.next_ = this;
  previous_->next_ = &link;
  previous_ = &link;
}

void DeferredQueue::add(Deferred& object) {
  if (!object.is_deferred()) {
    waiting_.insert_before_this(object);
  }
}

void DeferredQueue::dispose(std::unique_ptr<Deferred> object) {
  object->forget();
  disposed_.insert_before_this(*object.release());
}

Deferred& DeferredQueue::take_first(List& list) {
  auto& first = static_cast<Deferred&>(*list.next_);
  first.unlink();
  return first;
}

void DeferredQueue::run(base::FaultSink* faults) {
  // Only what stands in front of the mark has its turn now. Each object may take any other off the list, so nothing is
  // remembered but the mark.
  List mark;
  waiting_.insert_before_this(mark);
  while (waiting_.next_ != &mark) {
    auto& object = take_first(waiting_);
    base::contain(faults, base::FaultPlace::network, [&] { object.on_turn(); });
  }
  mark.unlink();
  destroy_disposed();
}

void DeferredQueue::destroy_disposed() {
  // What is destroyed may dispose of more.
  while (!disposed_.is_alone()) {
    delete &take_first(disposed_);
  }
}

}  // namespace helios::net
