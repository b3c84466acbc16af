// What the other end of one connection asked of us and waits for: requests
// from their call packet to their answer. Owned by speech. The lane's thread;
// reply and hold_back perhaps between turns, so they tell no events.
#pragma once
#include "link/index.hpp"
#include "link/request.hpp"
#include "link/service.hpp"
#include "wire/call.hpp"

namespace mw::link {

class Session;

class Callee {
 public:
  explicit Callee(Session& s) noexcept;
  ~Callee();
  Callee(const Callee&) = delete;
  Callee& operator=(const Callee&) = delete;

  // A packet of the caller. False: the connection failed.
  bool call(const wire::TalkView& t);
  bool cancel(const wire::TalkView& t);
  bool credit(const wire::TalkView& t);

  // Answers; more: a part. The body was checked.
  mw_status reply(Request& r, const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags,
                  uint64_t op);
  // An answer that another thread accepted.
  void arrived(Request& r, OutFrame* f) noexcept;

  // ---- in a turn
  void too_late(Request& r);
  // The answer will not come from here: tells the caller `status` and the host CANCEL.
  void give_up(Request& r, mw_status status, mw_status why);
  void give_up_all(mw_status status, mw_status why);
  // The same with an answer of its own, and nothing for the host.
  void fail(Request& r, mw_status status, std::string_view text);
  void end() noexcept;       // the caller has gone
  void look_for_writable();  // the connection has room again
  size_t open() const noexcept { return all_.size(); }
  Session& session() const noexcept { return s_; }

 private:
  static constexpr size_t kMaxOpen = 1 << 20;  // of one connection
  static constexpr size_t kSpares = 16;
  Request* take(const wire::TalkView& t, mw_status* why);
  void call_once(const wire::TalkView& t, Service& service, std::string_view method, std::string_view key, uint32_t flags);
  void call_queued(const wire::TalkView& t, Service& service, uint32_t flags);
  void tell(const wire::TalkView& t, Service& service, mw_handle request, uint32_t flags);
  void refuse(uint64_t number, mw_status why, std::string_view text = {});  // text: instead of the status's own
  void answer_own(const wire::TalkView& t);
  void over(Request& r, mw_status why, int32_t code) noexcept;
  void close(Request& r, Request::State state) noexcept;
  void flush(Request& r) noexcept;
  void recycle(Request* r) noexcept;

  Services::Found find(std::string_view method);

  Session& s_;
  uint64_t last_ = 0;  // the caller's numbers rise
  // The method asked for last, and what was found.
  std::string asked_;
  Services::Found found_;
  uint64_t found_version_ = 0;
  Index<Request, &Request::number, &Request::same> all_;
  Request *first_ = nullptr, *tail_ = nullptr;
  Request* spare_ = nullptr;
  size_t spares_ = 0;
};

}  // namespace mw::link
