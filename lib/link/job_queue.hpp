// What holds the calls of a service back until their turn: asked by callee and
// service, made by mesh (Jobs), which decides. The host's requests come from it
// and are no connection's; the callers' requests wait for them. Each function: see its thread.
#pragma once
#include "base/message.hpp"
#include "wire/call.hpp"

#include <string>

namespace mw::link {

class Request;
class Service;
class Session;

class JobQueue {
 public:
  virtual ~JobQueue() = default;

  // ---- any thread that has a pin of the host's request
  static mw_status reply(Request& host, const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags,
                         uint64_t op);
  static mw_status give_back(Request& host, mw_status code, std::string_view json);

  // ---- any thread, while the service is in its directory
  struct Numbers {
    uint64_t waiting, running, bytes;                      // now
    uint64_t taken, refused, done, again, dead, dropped;   // so far
  };
  virtual Numbers numbers() const noexcept = 0;

  // ---- the lane of the service
  bool all = false;                       // its calls wait here; else those that the schema says so of
  virtual void serve(Service& s) = 0;     // once: whose it is
  // A call came; caller: its request, null of a oneway one. MW_OK: it has its turn, or will have; else *text may say why not.
  virtual mw_status arrive(Session& from, Request* caller, const wire::TalkView& t, uint32_t flags, std::string* text) = 0;
  // A caller waits no more.
  virtual void leave(Request& caller, mw_status why, int32_t code) noexcept = 0;
  // The host has answered; below 0: it has not. Perhaps between turns.
  virtual mw_status answered(Request& host, const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m,
                             uint32_t flags, uint64_t op) = 0;
  virtual void returned(Request& host, mw_status code, std::string_view json) = 0;
  virtual bool idle() const noexcept = 0;
  virtual void end() noexcept = 0;        // in a turn: nothing runs any more
};

}  // namespace mw::link
