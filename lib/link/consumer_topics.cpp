// A consumer's subscriptions on the own wire: kept here, told to each provider
// it meets.
#include "base/json.hpp"
#include "link/consumer.hpp"
#include "link/speech.hpp"

#include <algorithm>

namespace mw::link {

using base::Error;

mw_status Consumer::subscribe(std::string_view text, base::Syntax syntax, uint64_t op, Error* why) {
  if (!base::speaks(*conf(), base::Wire::meshwork)) {
    *why = {MW_ENOTSUP, 0, "only the wire meshwork can subscribe: this consumer's wire has no topics"};
    return MW_ENOTSUP;
  }
  auto pattern = base::Pattern::compile(text, syntax);
  if (!pattern) {
    *why = pattern.error();
    return pattern.error().code;
  }
  uint64_t number;
  {
    std::lock_guard lock(mutex_);
    number = next_number_++;
    wanted_.push_back({*pattern, syntax, number, op});
  }
  auto tell = [this, number] {
    if (closing_ || !session_.is_open() || !session_.speech() || !session_.speech()->greeted()) return;
    std::string p;
    base::Syntax sx{};
    {
      std::lock_guard lock(mutex_);
      auto it = std::find_if(wanted_.begin(), wanted_.end(), [&](const Wanted& w) { return w.number == number; });
      if (it == wanted_.end()) return;
      p = it->pattern.text();
      sx = it->syntax;
    }
    session_.speech()->subscribe(number, p, static_cast<uint8_t>(sx));
  };
  try {
    post(*lane, tell);
  } catch (const std::bad_alloc&) {
    std::lock_guard lock(mutex_);
    std::erase_if(wanted_, [&](const Wanted& w) { return w.number == number; });
    throw;
  }
  return MW_OK;
}

mw_status Consumer::unsubscribe(std::string_view text, uint64_t op) {
  std::vector<Wanted> gone;
  {
    std::lock_guard lock(mutex_);
    gone.reserve(wanted_.size());
    auto keep = std::stable_partition(wanted_.begin(), wanted_.end(), [&](const Wanted& w) { return w.pattern.text() != text; });
    gone.assign(std::make_move_iterator(keep), std::make_move_iterator(wanted_.end()));
    wanted_.erase(keep, wanted_.end());
  }
  auto tell = [this, op, gone = std::move(gone), at = size_t{0}]() mutable {
    for (; at < gone.size(); ++at) {
      if (session_.is_open() && session_.speech() && session_.speech()->greeted())
        session_.speech()->unsubscribe(gone[at].number);
      done(*lane, gone[at].op, MW_ECANCELED, 0, {});
    }
    done(*lane, op, MW_OK, 0, {});
  };
  base::insist([&] { post(*lane, tell); });  // they are removed already
  return MW_OK;
}

void Consumer::subscribe_result(Session&, uint64_t number, bool sub, mw_status status, std::string_view text) {
  if (!sub) return;
  uint64_t op = 0;
  {
    std::lock_guard lock(mutex_);
    auto it = std::find_if(wanted_.begin(), wanted_.end(), [&](const Wanted& w) { return w.number == number; });
    if (it == wanted_.end()) return;
    op = std::exchange(it->op, 0);
    if (status < 0) wanted_.erase(it);
  }
  done(*lane, op, status, 0, text);
}

bool Consumer::subscribed(std::string_view topic) const {
  std::lock_guard lock(mutex_);
  return std::any_of(wanted_.begin(), wanted_.end(), [&](const Wanted& w) { return w.pattern.match(topic); });
}

std::string Consumer::topics() const {
  std::lock_guard lock(mutex_);
  return base::json_texts(wanted_, [](const Wanted& w) -> const std::string& { return w.pattern.text(); });
}

mw_status Consumer::remote_subscribe(Session&, uint64_t, uint8_t, std::string_view, std::string* why) {
  *why = "a consumer takes no subscriptions";
  return MW_ENOTSUP;
}

}  // namespace mw::link
