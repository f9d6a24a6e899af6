// SPDX-License-Identifier: Apache-2.0
#include "admin/state_page.hpp"

#include "admin/replies.hpp"
#include "kv/namespace_name.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace helios::admin {

Response state_reply(kv::Store& store) {
  boost::json::array namespaces;
  for (kv::Namespace* space : store.namespaces()) {
    if (!kv::namespace_name(space->name()))
      continue;  // the proxy's own: no plugin's, and in the total only
    const kv::Usage usage = store.usage(*space);
    namespaces.push_back(boost::json::object{{"plugin", space->name()},
                                             {"keys", usage.keys},
                                             {"bytes", usage.bytes},
                                             {"stream_bytes", usage.stream_bytes}});
  }
  const kv::Usage total = store.total_usage();
  const kv::Limits& limits = store.limits();
  const std::string problem = store.health();
  boost::json::object body{
      {"healthy", problem.empty()},
      {"namespaces", std::move(namespaces)},
      {"total",
       {{"keys", total.keys}, {"bytes", total.bytes}, {"stream_bytes", total.stream_bytes}}},
      {"limits",
       {{"key_bytes", limits.max_key_bytes},
        {"value_bytes", limits.max_value_bytes},
        {"namespace_keys", limits.max_keys_per_namespace},
        {"namespace_bytes", limits.max_bytes_per_namespace},
        {"total_bytes", limits.max_total_bytes},
        {"namespaces", limits.max_namespaces},
        {"record_bytes", limits.max_record_bytes},
        {"namespace_streams", limits.max_streams_per_namespace},
        {"stream_bytes", limits.max_stream_bytes},
        {"ring_bytes", limits.max_ring_bytes}}}};
  if (!problem.empty()) body["problem"] = readable(problem);
  Response response;
  response.body = boost::json::serialize(body);
  return response;
}

}  // namespace helios::admin
