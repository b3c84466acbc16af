#include "link/job_queue.hpp"

#include "link/callee.hpp"
#include "link/party.hpp"
#include "link/session.hpp"

namespace mw::link {

using loop::Lane;

namespace {

base::MsgRef keep(const uint8_t* body, size_t len, mw_msg* m, std::string_view meta) {
  if (m != nullptr && m->ctx == 0) return base::MsgRef(base::ref(m));
  base::MsgRef kept(base::message_copy(body, len, m != nullptr ? m->flags : 0));
  if (!meta.empty()) kept->meta = new std::string(meta);
  return kept;
}

}  // namespace

mw_status JobQueue::reply(Request& host, const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags,
                          uint64_t op) {
  if (t.type == wire::Packet::part) return MW_ENOTSUP;
  Lane& l = *host.lane;
  auto here = [&]() -> mw_status {
    if (host.answered.exchange(true, std::memory_order_acq_rel)) return MW_ECLOSED;
    const mw_status s = host.jobs->answered(host, t, body, len, m, flags, op);
    if (s < 0) host.answered.store(false, std::memory_order_release);
    return s;
  };
  if (l.here()) return here();
  if (Lane::Hold hold(l); hold) {
    const mw_status s = here();
    if (s >= 0) l.poke();
    return s;
  }
  base::MsgRef kept = keep(body, len, m, t.meta);
  if (host.answered.exchange(true, std::memory_order_acq_rel)) return MW_ECLOSED;
  base::insist([&] {
    post(l, [l = &l, h = host.handle, kept, op, flags, type = t.type, wire_flags = t.flags, status = t.status] {
      Request* mine = Request::find(*l, h);
      if (mine == nullptr) return;  // it ended meanwhile; its CANCEL told
      wire::Talk again;
      again.type = type;
      again.flags = wire_flags;
      again.status = status;
      if (kept->meta != nullptr) again.meta = *kept->meta;
      const mw_status s = mine->jobs->answered(*mine, again, kept->body, kept->len, kept.get(), flags, op);
      if (s < 0) mine->jobs->returned(*mine, s, failure_text(s));  // accepted, but its caller's connection has no room
    });
  });
  return MW_OK;
}

mw_status JobQueue::give_back(Request& host, mw_status code, std::string_view json) {
  if (host.answered.exchange(true, std::memory_order_acq_rel)) return MW_ECLOSED;
  Lane& l = *host.lane;
  if (l.here()) {
    host.jobs->returned(host, code, json);
    return MW_OK;
  }
  base::insist([&] {
    post(l, [l = &l, h = host.handle, code, text = std::string(json)] {
      if (Request* mine = Request::find(*l, h)) mine->jobs->returned(*mine, code, text);
    });
  });
  return MW_OK;
}

}  // namespace mw::link
