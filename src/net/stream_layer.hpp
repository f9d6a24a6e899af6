// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a driver's stream is exchanged for one that stands on it: one that encrypts, say.
//
// The exchange is made between two events: all that was sent before has gone to the stream below, in front of whatever the
// layer sends; all that was reported before was read without the layer. Whoever expects the next stage of a protocol behind
// a message has to stop reading at its end: bytes that came with it were not protected, and must not be taken for
// bytes of the next stage.

#include "net/engine/engine.hpp"

#include <functional>

namespace helios::net {

// Makes the layer on `below` (see Stream), which reports to `handler` and keeps to `loss_report`: with after_received, what
// it holds itself is reported first. It begins to receive, whatever the stream below did. Lifetime: as Engine::adopt().
// When it throws, the connection is closed.
using MakeLayer =
    std::function<StreamPtr(StreamPtr below, StreamHandler& handler, LossReport loss_report)>;

}  // namespace helios::net
