// `meshwork ctl`: asks a standing hub over its channel control, one command or
// many. One thread.
#include "json.hpp"
#include "program.hpp"
#include "prompt.hpp"
#include "terminal.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <unistd.h>

namespace cli {

namespace {

constexpr int kAnswerMs = 10000;

struct Command {
  const char *name, *words, *help;
  size_t least, most;
};
constexpr std::array<Command, 6> kCommands = {{
    {"showconfig", "", "the configuration in force", 0, 0},
    {"reloadconfig", "FILE", "give the hub another configuration; wrong ones change nothing", 1, 1},
    {"showchannel", "CHANNEL", "the ids of the members of a channel", 1, 1},
    {"showclient", "CHANNEL ID", "what is known of one of them", 2, 2},
    {"help", "", "this list", 0, 0},
    {"quit", "", "leave; so do Ctrl-D and Ctrl-C", 0, 0},
}};

const Command* command_of(const std::string& word) {
  const std::string name = word == "exit" ? "quit" : word;
  const auto it = std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& c) { return name == c.name; });
  return it == kCommands.end() ? nullptr : &*it;
}

std::string usage() {
  std::string out;
  for (const Command& c : kCommands) {
    std::string left = std::string("  ") + c.name + (*c.words != '\0' ? " " : "") + c.words;
    left.resize(std::max<size_t>(left.size() + 2, 28), ' ');
    out += left + c.help + "\n";
  }
  out.pop_back();
  return out;
}

// A function of the original's client is a command here: showchannel('A').
std::string plain(std::string line) {
  const size_t open = line.find('(');
  if (open == line.npos || line.find(' ') < open) return line;
  std::replace_if(line.begin(), line.end(), [](char c) { return c == '(' || c == ')' || c == ',' || c == ';'; }, ' ');
  return line;
}

class Ctl {
 public:
  explicit Ctl(const CtlOptions& o) : o_(o), ctx_(mw::Conf(MW_CONF_CTX, {{"threads", 0}})), loop_(ctx_) {
    mw::Conf context(MW_CONF_CTX);
    mw::Conf given(MW_CONF_CHANNEL, {{"name", "control"}});
    apply(o.common.sets, given, context);
    const bool one = std::any_of(o.common.sets.begin(), o.common.sets.end(), [](const std::string& s) { return s.starts_with("wire="); });
    // Which wire the hub speaks need not be known: who answers the door first is it.
    for (const char* wire : {"meshwork", "netcluster"}) {
      if (one && given.get("wire") != wire) continue;
      mw::Conf conf(MW_CONF_CHANNEL, {{"name", "control"}, {"wire", wire}, {"hub.auto", false}, {"reconnect.interval", "20ms"}});
      if (!o.dir.empty()) conf.set("dir", o.dir);
      apply(o.common.sets, conf, context);
      open(conf);
    }
  }

  int run() {
    find_hub();
    if (!o_.words.empty()) return carry_out(o_.words);
    return talk();
  }

 private:
  struct Line {
    std::unique_ptr<mw::Channel> channel;
    bool closed = false;
  };

  void open(const mw::Conf& conf) {
    lines_.push_back(std::make_unique<Line>());
    Line& l = *lines_.back();
    l.channel = std::make_unique<mw::Channel>(ctx_, conf);
    l.channel->on_up([this, &l] { hub_ = &l; });
    l.channel->on_down([this, &l] {
      if (hub_ == &l) hub_ = nullptr;
    });
    l.channel->on_closed([&l] { l.closed = true; });
    l.channel->on_message([this](const mw::Event& e) {
      if (e.topic() == waits_for_) answer_.emplace(e.text());
    });
    l.channel->subscribe("nc-control-.*-response");
    l.channel->start([this](mw_status s, const mw::Event& e) {
      if (s < 0 && s != MW_ECANCELED) why_.push_back(field(e.text(), "text").value_or(mw_status_text(s)));
    });
  }

  void find_hub() {
    const auto until = Clock::now() + std::chrono::milliseconds(static_cast<int64_t>(o_.wait * 1000));
    while (hub_ == nullptr) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
      if (loop_.interrupts() > 0) throw Failure(kFailed, "interrupted");
      if (left <= 0 || why_.size() == lines_.size()) {
        std::string text = "no hub keeps the channel control" + (o_.dir.empty() ? "" : " in " + o_.dir);
        for (const std::string& w : why_) text += "\n  " + w;
        if (why_.empty()) text += "\n  `meshwork hub` keeps it; --dir says where; --wait waits longer";
        throw Failure(kUnreachable, text);
      }
      loop_.turn(static_cast<int>(left), nullptr, output_);
    }
  }

  // The hub's answer, as JSON.
  std::string ask(const std::string& command, const std::string& json) {
    find_hub();
    waits_for_ = "nc-control-" + command + "-response";
    answer_.reset();
    const mw_status s = hub_->channel->publish("nc-control-" + command, mw::Message(json, MW_F_TEXT));
    if (s < 0) throw Failure(kFailed, std::string("cannot ask: ") + mw_status_text(s));
    const auto until = Clock::now() + std::chrono::milliseconds(kAnswerMs);
    while (!answer_) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
      if (loop_.interrupts() > 0) throw Failure(kFailed, "interrupted");
      if (hub_ == nullptr) throw Failure(kFailed, "the hub has gone");
      if (left <= 0) throw Failure(kFailed, "no answer: channel control is kept by somebody who is no standing hub, or has control.enabled=false");
      loop_.turn(static_cast<int>(left), nullptr, output_);
    }
    waits_for_.clear();
    if (auto wrong = field(*answer_, "error")) throw Failure(kFailed, *wrong);
    return *answer_;
  }

  int carry_out(const std::vector<std::string>& words) {
    const Command* c = command_of(words[0]);
    if (c == nullptr) throw Failure(kUsage, "there is no command " + words[0] + "; there are\n" + usage());
    const size_t n = words.size() - 1;
    if (n < c->least || n > c->most) throw Failure(kUsage, std::string("write ") + c->name + (*c->words != '\0' ? " " : "") + c->words);
    const std::string name = c->name;
    if (name == "help") {
      output_.line(usage());
    } else if (name == "showconfig") {
      const std::string config = ask(name, "\"\"");
      channels_ = keys_of(field(config, "channels").value_or("{}"));
      print(config);
    } else if (name == "reloadconfig") {
      const std::string config = read_config(words[1]);
      try {
        mw::Conf(MW_CONF_HUB).load(config);  // what is wrong is known here with its line
      } catch (const mw::Error& e) {
        throw Failure(kUsage, words[1] + ": " + e.what());
      }
      ask(name, config);
      channels_.clear();
      output_.line(o_.common.json ? "\"done\"" : "reloaded " + words[1]);
    } else if (name == "showchannel") {
      const std::string list = ask(name, json_text(words[1]));
      members_ = texts_of(list);
      print_list(list);
    } else if (name == "showclient") {
      print(ask(name, "{\"channel\":" + json_text(words[1]) + ",\"client\":" + json_text(words[2]) + "}"));
    } else {
      quits_ = true;
    }
    output_.flush_all();
    return kOk;
  }

  void print(const std::string& json) { output_.line(o_.common.json ? json : indented(json)); }

  void print_list(const std::string& json) {
    if (o_.common.json) return output_.line(json);
    if (members_.empty()) return output_.line("nobody");
    for (const std::string& m : members_) output_.line(m);
  }

  int talk() {
    if (!o_.common.json) output_.line("help lists the commands");
    output_.flush_all();
    Prompt prompt("meshwork> ", [this](const auto& before) { return offers(before); });
    int exit = kOk;
    while (!quits_ && !prompt.ended() && loop_.interrupts() == 0) {
      if (auto line = prompt.next()) {
        exit = one_of_many(prompt, plain(*line));
        continue;
      }
      if (loop_.turn(-1, prompt.fd(), output_)) prompt.read();
    }
    prompt.hide();
    const bool at_prompt = !quits_ && ::isatty(STDOUT_FILENO) == 1;
    if (at_prompt) output_.line("");  // behind ^C or an empty prompt
    output_.flush_all();
    return ::isatty(STDIN_FILENO) == 1 ? kOk : exit;
  }

  // What is wrong is said, and the next line comes. In a script the worst counts.
  int one_of_many(Prompt& prompt, const std::string& line) {
    const std::vector<std::string> words = words_of(line);
    if (words.empty()) return worst_;
    prompt.hide();
    try {
      carry_out(words);
    } catch (const Failure& f) {
      worst_ = std::max(worst_, f.exit);
      std::fprintf(stderr, "%s\n", f.what());
    }
    if (!quits_ && loop_.interrupts() == 0) prompt.show();
    return worst_;
  }

  // What may come next: commands, files, channels, members as last shown.
  std::vector<std::string> offers(const std::vector<std::string>& before) const {
    if (before.empty()) {
      std::vector<std::string> names;
      for (const Command& c : kCommands) names.push_back(c.name);
      return names;
    }
    if (before.size() == 1 && before[0] == "reloadconfig") return {"@file"};
    if (before.size() == 1 && before[0].starts_with("showc") && before[0] != "showconfig") return channels_;
    if (before.size() == 2 && before[0] == "showclient") return members_;
    return {};
  }

  const CtlOptions& o_;
  Output output_;
  mw::Context ctx_;
  Loop loop_;
  std::vector<std::unique_ptr<Line>> lines_;
  Line* hub_ = nullptr;
  std::vector<std::string> why_;       // starts that failed
  std::string waits_for_;
  std::optional<std::string> answer_;
  std::vector<std::string> channels_, members_;  // for completion
  bool quits_ = false;
  int worst_ = kOk;
};

}  // namespace

int ctl(const CtlOptions& options) { return Ctl(options).run(); }

}  // namespace cli
