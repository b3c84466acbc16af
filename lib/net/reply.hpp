// HTTP answers of the listener as text: refusals and pages. Every one closes
// the connection. For net's listener. Pure; any thread.
#pragma once
#include <ctime>
#include <string>

namespace mw::net {

struct Reply {
  int status = 200;
  std::string body;
  std::string type = "text/plain; charset=utf-8";
  std::string headers;  // more of them, each ended by CRLF
};

// head: without the body, as HEAD asks. now: for the Date header.
std::string compose(const Reply& r, bool head, std::time_t now);

// "Come back later" (RFC 9110 section 15.6.4).
Reply unavailable(std::string body, long retry_after_s);

}  // namespace mw::net
