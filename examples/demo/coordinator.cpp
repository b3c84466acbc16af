// The coordinator of the demo's mesh: splits a file into parts, has the words of
// each counted by one of the workers, whichever the mesh chooses, and adds them
// up. When half is counted it kills one worker that has calls in hand. What each
// worker has done it asks all of them at once.
//
//   demo_coordinator MANAGER SECRET-FILE FILE WORKERS VICTIM
//
// Standard output tells the script what happens, a line each.
#include <meshwork/meshwork.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

std::string line_of(const char* path) {
  std::string line;
  if (!std::getline(std::ifstream(path), line)) throw std::runtime_error(std::string("cannot read ") + path);
  return line;
}

double ms(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

struct Worker {
  std::string language;
  pid_t pid = 0;
  uint64_t parts = 0, words = 0;  // of its answers
  uint64_t said_parts = 0, said_words = 0;
  std::string failed;  // why it said nothing when all were asked last
};

class Coordinator {
 public:
  explicit Coordinator(char** args)
      : node_(ctx_, {{"cluster.deployment", "demo"}, {"member.service", "coordinator"}, {"member.name", "coordinator"},
                     {"registry", "manager"}, {"registry.url", args[0]}, {"link.secret", line_of(args[1])},
                     {"route.strategy", "least_busy"},  // a slow worker gets less, instead of all that may be open
                     {"gate.services", std::string("{\"words\":") + args[3] + "}"}}),  // the start waits for so many
        file_(args[2], std::ios::binary | std::ios::ate), bytes_(static_cast<size_t>(file_.tellg())),
        expected_(std::stoul(args[3])), part_(std::clamp<size_t>(bytes_ / (64 * expected_), 1, 64 << 10)), victim_(args[4]) {
    file_.seekg(0);
  }

  bool run() {
    node_.on_error([](const mw::Event& e) { std::cerr << "error: " << e.text() << std::endl; });
    node_.on_member_down([this] {
      if (killed_ == Clock::time_point{}) return;  // too early: end() finds it
      gone_ = Clock::now();
      work();
    });
    node_.on_closed([this] { ctx_.wake(); });
    node_.start([this](mw_status s, const mw::Event& e) {
      if (s < 0) throw mw::Error(s, std::string(e.text()));
      ask_all([this] { begin(); });
    });
    ctx_.run();
    return good_;
  }

 private:
  // One call of all workers.
  void ask_all(std::function<void()> then) {
    auto part = [this](const mw::Event& e) {
      Worker& w = workers_[std::string(e.header("member").value_or(""))];
      w.failed = e.status() < 0 ? mw_status_name(e.status()) : "";
      if (e.status() < 0) return;
      Worker told;
      std::istringstream said{std::string(e.text())};
      const bool read(std::getline(said >> told.pid >> told.said_parts >> told.said_words >> std::ws, told.language));
      if (!read || told.pid <= 1) {  // kill() takes 0 and less for whole groups
        w.failed = "MW_EPROTO";
        return;
      }
      w.pid = told.pid, w.said_parts = told.said_parts, w.said_words = told.said_words, w.language = told.language;
    };
    auto done = [then = std::move(then)](mw_status s, const mw::Event& e) {
      if (s < 0 && s != MW_EPARTIAL) throw mw::Error(s, std::string(e.text()));  // each failure was told
      then();
    };
    accepted(node_.call_all("words.about", mw::Message(""), done, {.part = part}));
  }

  void begin() {
    for (const auto& [name, w] : workers_) {
      if (!w.failed.empty()) throw std::runtime_error("worker " + name + " said nothing of itself: " + w.failed);
      std::cout << "worker " << name << ' ' << w.pid << ' ' << w.language << std::endl;
    }
    if (workers_.size() != expected_ || !workers_.contains(victim_)) throw std::runtime_error("not all workers are there");
    most_ = 4 * expected_;
    last_ = Clock::now();
    work();
  }

  // So many calls are open as may be; whom each goes to is the mesh's choice.
  void work() {
    while (open_.size() < most_ && file_.peek() != EOF) call(next_part());
    const bool all = open_.empty() && gone_ != Clock::time_point{};  // counted, and nobody waits for the dead
    if (all && !std::exchange(over_, true)) ask_all([this] { end(); });
  }

  std::string next_part() {
    std::string part(part_, '\0');
    file_.read(part.data(), static_cast<std::streamsize>(part_));
    part.resize(static_cast<size_t>(file_.gcount()));
    auto inside = [&] { return std::string_view(" \t\n\v\f\r").find(part.back()) == std::string_view::npos; };
    for (char c; inside() && file_.get(c);) part += c;
    return part;
  }

  void call(const std::string& part) {
    const uint64_t number = calls_++;
    mw::Message message(std::as_bytes(std::span(part)));
    message.header("key", "part/" + std::to_string(number));  // safe to repeat: if its worker is lost, another gets it
    open_.insert(number);
    auto done = [this, number, size = part.size(), began = Clock::now()](mw_status s, const mw::Event& e) {
      const auto now = Clock::now();
      longest_ = std::max(longest_, now - last_);
      last_ = now;
      waits_.push_back(now - began);
      open_.erase(number);
      if (struck_.contains(number)) answered_ = now;
      if (s < 0) {
        std::cerr << "failed: part " << number << ": " << mw_status_name(s) << ": " << e.text() << std::endl;
        ++failed_;
      } else {
        uint64_t words = 0;
        std::string by;
        std::istringstream(std::string(e.text())) >> words >> by;
        Worker& w = workers_.at(by);
        ++w.parts, w.words += words;
        words_ += words;
      }
      counted_ += size;
      if (2 * counted_ >= bytes_ && killed_ == Clock::time_point{}) strike();
      work();
    };
    accepted(node_.call("words.count", message, done));
  }

  // So many more calls that each worker gets one, another call of all, and in the same moment the end of one.
  void strike() {
    most_ += expected_;
    work();
    ask_all([this] {
      std::cout << "asked";
      for (const auto& [name, w] : workers_) std::cout << ' ' << name << ':' << (w.failed.empty() ? "well" : w.failed);
      std::cout << std::endl;
    });
    kill(workers_.at(victim_).pid, SIGKILL);
    killed_ = answered_ = Clock::now();
    struck_ = open_;
    std::cout << "killed " << struck_.size() << std::endl;
  }

  void end() {
    good_ = failed_ == 0;
    for (const auto& [name, w] : workers_) {
      std::cout << "row " << name << ' ' << w.parts << ' ' << w.words << ' ' << w.said_words << ' ' << w.language << std::endl;
      if (name != victim_ && !(w.failed.empty() && w.said_parts == w.parts && w.said_words == w.words)) good_ = false;
    }
    std::sort(waits_.begin(), waits_.end());
    std::cout << "sum " << calls_ << ' ' << words_ << ' ' << failed_ << ' ' << ms(waits_[waits_.size() / 2]) << ' '
              << ms(answered_ - killed_) << ' ' << ms(longest_) << ' ' << ms(gone_ - killed_) << std::endl;
    // Those that still live subscribed to it, and leave.
    accepted(node_.publish("words/over", mw::Message(""), [this](mw_status s, const mw::Event& e) {
      std::cout << "over " << e.code() << std::endl;
      good_ = good_ && s >= 0;
      node_.drain(5000, [this](mw_status, const mw::Event&) { node_.close(); });
    }));
  }

  static void accepted(mw_status s) {
    if (s < 0) throw mw::Error(s, mw_status_text(s));
  }

  mw::Context ctx_{{{"threads", 0}}};
  mw::Node node_;
  std::ifstream file_;
  size_t bytes_, expected_, part_, most_ = 0, counted_ = 0;
  std::string victim_;
  std::map<std::string, Worker> workers_;
  std::set<uint64_t> open_, struck_;  // calls; those that were open when the victim was killed
  uint64_t calls_ = 0, failed_ = 0, words_ = 0;
  std::vector<Clock::duration> waits_;
  Clock::duration longest_{};  // between two answers
  Clock::time_point last_, killed_, answered_, gone_;
  bool over_ = false, good_ = false;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 6) return std::fputs("usage: demo_coordinator MANAGER SECRET-FILE FILE WORKERS VICTIM\n", stderr), 2;
  return Coordinator(argv + 1).run() ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << "demo_coordinator: " << e.what() << '\n';
  return 1;
}
