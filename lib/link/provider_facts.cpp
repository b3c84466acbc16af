// What a provider tells about itself: peers, sums, the metrics page.
#include "base/json.hpp"
#include "base/prometheus.hpp"
#include "link/provider.hpp"

namespace mw::link {

mw_status Provider::gather_peers(uint64_t op) {
  struct Gather {
    std::mutex mutex;
    std::string json = "[";
    size_t left;
  };
  auto g = std::make_shared<Gather>();
  g->left = shards_.size();
  for (Shard& s : shards_)
    post(*s.lane, [this, &s, g, op] {
      std::string all;
      for (Peer* p : s.peers) {
        if (!all.empty()) all += ',';
        std::string f = p->facts();
        f.pop_back();
        f += ",\"id\":" + std::to_string(p->handle);
        f += ",\"buffered\":" + std::to_string(p->session.queued());
        f += ",\"strikes\":" + std::to_string(p->session.stats.strikes.load()) + "}";
        all += f;
      }
      std::lock_guard lock(g->mutex);
      g->json.reserve(g->json.size() + all.size() + 2);
      if (!all.empty() && g->json.size() > 1) g->json += ',';
      g->json += all;
      if (--g->left == 0) base::insist([&] { post(*lane, [this, g, op] { done(*lane, op, MW_OK, 0, g->json + "]"); }); });
    });
  return MW_OK;
}

void Provider::sum(uint64_t* messages_in, uint64_t* messages_out, uint64_t* bytes_in, uint64_t* bytes_out) const noexcept {
  *messages_in = *messages_out = *bytes_in = *bytes_out = 0;
  for (const Shard& s : shards_) {
    *messages_in += s.counters.messages_in.load(std::memory_order_relaxed);
    *messages_out += s.counters.messages_out.load(std::memory_order_relaxed);
    *bytes_in += s.counters.bytes_in.load(std::memory_order_relaxed);
    *bytes_out += s.counters.bytes_out.load(std::memory_order_relaxed);
  }
}

void Provider::queue_metrics(std::string& out) const {
  std::vector<std::pair<std::string, JobQueue::Numbers>> all;
  each_queue([&](const std::string& name, const JobQueue::Numbers& n) { all.emplace_back(name, n); });
  if (all.empty()) return;
  auto lines = [&](const char* name, const char* type, const char* help, uint64_t JobQueue::Numbers::* what) {
    base::metric_head(out, name, type, help);
    for (const auto& [service, n] : all) base::metric_of_service(out, name, service, {}, std::to_string(n.*what));
  };
  using N = JobQueue::Numbers;
  lines("meshwork_queue_waiting", "gauge", "Calls that wait for their turn.", &N::waiting);
  lines("meshwork_queue_running", "gauge", "Calls of the queue that the host has.", &N::running);
  lines("meshwork_queue_bytes", "gauge", "Bodies and headers in the queue.", &N::bytes);
  lines("meshwork_queue_taken_total", "counter", "Calls that the queue took.", &N::taken);
  lines("meshwork_queue_refused_total", "counter", "Calls refused because the queue was full.", &N::refused);
  lines("meshwork_queue_done_total", "counter", "Calls of the queue that were answered.", &N::done);
  lines("meshwork_queue_again_total", "counter", "Times a call of the queue was not done and came again.", &N::again);
  lines("meshwork_queue_dead_total", "counter", "Calls given up after their last attempt.", &N::dead);
  lines("meshwork_queue_dropped_total", "counter", "Calls that nobody waited for any more.", &N::dropped);
}

std::string Provider::metrics() {
  uint64_t mi, mo, bi, bo;
  sum(&mi, &mo, &bi, &bo);
  std::string out;
  auto line = [&](const char* name, const char* type, const char* help, uint64_t v) {
    base::metric_head(out, name, type, help);
    out.append(name).append(1, ' ').append(std::to_string(v)).append(1, '\n');
  };
  line("meshwork_peers", "gauge", "Connected peers.", peers());
  line("meshwork_messages_received_total", "counter", "Messages received from peers.", mi);
  line("meshwork_messages_sent_total", "counter", "Messages handed to the kernel.", mo);
  line("meshwork_received_bytes_total", "counter", "Bytes read from sockets.", bi);
  line("meshwork_sent_bytes_total", "counter", "Bytes written to sockets, before encryption.", bo);
  line("meshwork_dropped_messages_total", "counter", "Messages dropped by an overflow policy.", dropped.load());
  line("meshwork_protocol_violations_total", "counter", "Connections closed for breaking the protocol.", violations.load());
  line("meshwork_memory_bytes", "gauge", "Bytes of the context's budget in use.", static_cast<uint64_t>(runtime.budget().used()));
  queue_metrics(out);
  std::shared_ptr<net::Listener> listener;
  {
    std::lock_guard lock(mutex_);
    listener = listener_;
  }
  if (listener) {
    const net::ListenerCounters& c = listener->counters;
    line("meshwork_accepted_total", "counter", "Connections accepted.", c.accepted.load());
    line("meshwork_upgraded_total", "counter", "Connections upgraded to WebSocket.", c.upgraded.load());
    base::metric_head(out, "meshwork_rejected_total", "counter", "Connections that never became peers, by reason.");
    auto why = [&](const char* reason, const std::atomic<uint64_t>& n) {
      out += std::string("meshwork_rejected_total{reason=\"") + reason + "\"} " + std::to_string(n.load()) + "\n";
    };
    why("auth", c.rejected_auth);
    why("limit", c.rejected_limit);
    why("origin", c.rejected_origin);
    why("version", c.rejected_version);
    why("bad_request", c.bad_request);
    why("header_too_large", c.header_too_large);
    why("handshake_timeout", c.handshake_timeout);
    why("tls", c.tls_failed);
    line("meshwork_descriptors_exhausted_total", "counter", "Times accepting paused for lack of descriptors.", c.fd_exhausted.load());
  }
  return out;
}

mw_status Provider::gather_metrics(uint64_t op) {
  post(*lane, [this, op] { done(*lane, op, MW_OK, 0, metrics()); });
  return MW_OK;
}

}  // namespace mw::link
