// What this process holds: descriptors, threads; and waiting with a limit for
// something that has no event. Used by tests and by kit/main.cpp.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <string>

namespace kit {

// Descriptor -> what it is ("socket:[123]"), without the one used for looking.
std::map<int, std::string> open_descriptors();
int threads();

// Asks until the answer is yes; false when the limit is over. For facts that
// nothing announces, such as an entry of /proc; everything else waits for its event.
bool eventually(const std::function<bool()>& yes,
                std::chrono::milliseconds limit = std::chrono::seconds(10));

}  // namespace kit
