#include "mesh/core/queue.hpp"

#include <algorithm>

namespace mw::mesh::core {

bool MemoryStore::put(uint64_t id, std::string_view, base::MsgRef job) {
  jobs_.emplace(id, std::move(job));
  return true;
}

base::MsgRef MemoryStore::get(uint64_t id) const {
  const auto at = jobs_.find(id);
  return at == jobs_.end() ? base::MsgRef() : at->second;
}

// Lists move whole nodes, so what cannot fail needs no memory.
void Queue::move(std::list<Line>::iterator line, Is to) noexcept {
  std::list<Line>& from = list(line->is);
  line->is = to;
  list(to).splice(list(to).end(), from, line);
}

Queue::Put Queue::put(std::string_view key, base::MsgRef job, int64_t bytes, uint64_t* id) {
  const Put refused = jobs_.size() >= c_.max ? Put::full : bytes > c_.max_bytes - bytes_ ? Put::full_bytes : Put::taken;
  if (refused != Put::taken) {
    ++counters.refused;
    return refused;
  }
  const uint64_t number = last_ + 1;
  std::list<Job> one(1);
  one.front().id = number;
  one.front().bytes = bytes;
  std::list<Line> fresh;
  const auto known = lines_.find(key);
  std::list<Line>::iterator line;
  if (known != lines_.end()) {
    line = known->second;
  } else {
    fresh.emplace_back().key = key;
    line = fresh.begin();
    lines_.emplace(line->key, line);
  }
  bool kept = false;
  try {
    jobs_.emplace(number, one.begin());
    kept = store_->put(number, key, std::move(job));
  } catch (...) {
    jobs_.erase(number);
    if (!fresh.empty()) lines_.erase(line->key);
    throw;
  }
  if (!kept) {
    jobs_.erase(number);
    if (!fresh.empty()) lines_.erase(line->key);
    ++counters.refused;
    return Put::not_kept;
  }
  ready_.splice(ready_.end(), fresh);
  one.front().line = line;
  line->jobs.splice(line->jobs.end(), one);
  bytes_ += bytes;
  ++counters.taken;
  *id = last_ = number;
  return Put::taken;
}

void Queue::start(int64_t now, std::vector<uint64_t>& out) {
  for (auto line = delayed_.begin(); line != delayed_.end();) {
    const auto one = line++;
    if (one->due <= now) move(one, Is::ready);
  }
  out.reserve(out.size() + std::min(ready_.size(), c_.parallel - std::min(c_.parallel, running_.size())));
  while (running_.size() < c_.parallel && !ready_.empty()) {
    const auto line = ready_.begin();
    Job& job = line->jobs.front();
    store_->tried(job.id, job.attempts + 1);
    ++job.attempts;
    line->due = c_.lease == 0 ? INT64_MAX : now + c_.lease;
    move(line, Is::running);
    out.push_back(job.id);
  }
}

void Queue::late(int64_t now, std::vector<uint64_t>& out) const {
  for (const Line& line : running_) {
    if (line.due > now) return;
    out.push_back(line.jobs.front().id);
  }
}

bool Queue::runs(uint64_t id, std::list<Line>::iterator& line) noexcept {
  const auto at = jobs_.find(id);
  if (at == jobs_.end()) return false;
  line = at->second->line;
  return line->is == Is::running && line->jobs.front().id == id;
}

void Queue::defer(uint64_t id, int64_t until) noexcept {
  std::list<Line>::iterator line;
  if (!runs(id, line)) return;
  --line->jobs.front().attempts;
  line->due = until;
  move(line, Is::delayed);
}

bool Queue::again(uint64_t id, int64_t now) noexcept {
  std::list<Line>::iterator line;
  if (!runs(id, line)) return true;
  const uint32_t attempts = line->jobs.front().attempts;
  if (attempts >= c_.attempts) {
    end(id, counters.dead);
    return false;
  }
  ++counters.again;
  const int doublings = static_cast<int>(std::min<uint32_t>(attempts - 1, kMostDoublings));
  line->due = now + (c_.backoff << doublings);
  move(line, Is::delayed);
  return true;
}

void Queue::end(uint64_t id, uint64_t& counter) noexcept {
  const auto at = jobs_.find(id);
  if (at == jobs_.end()) return;
  const auto line = at->second->line;
  const bool first = line->jobs.front().id == id;
  ++counter;
  bytes_ -= at->second->bytes;
  line->jobs.erase(at->second);
  jobs_.erase(at);
  store_->remove(id);
  if (line->jobs.empty()) {
    lines_.erase(line->key);
    list(line->is).erase(line);
  } else if (first && line->is != Is::ready) {
    move(line, Is::ready);
  }
}

int64_t Queue::next() const noexcept {
  int64_t at = running_.empty() ? INT64_MAX : running_.front().due;
  for (const Line& line : delayed_) at = std::min(at, line.due);
  return at;
}

uint32_t Queue::attempts(uint64_t id) const noexcept {
  const auto at = jobs_.find(id);
  return at == jobs_.end() ? 0 : at->second->attempts;
}

}  // namespace mw::mesh::core
