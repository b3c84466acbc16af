// Lines of the agent's protocol (../README.md), as the C++ agent reads and
// writes them. Used by agent.cpp. Any thread; a Line belongs to one.
#ifndef SCENARIO_PROTOCOL_HPP
#define SCENARIO_PROTOCOL_HPP

#include "../agent/terms.h"
#include "../agent/words.h"

#include <meshwork/meshwork.hpp>

#include <cstdlib>
#include <iostream>

class Line {
 public:
  explicit Line(std::string text) : text_(std::move(text)) {
    if (words_cut(&words_, text_.data()) == 0) throw mw::Error(MW_EINVAL, "bad line");
  }
  Line(const Line&) = delete;
  ~Line() { words_free(&words_); }

  std::string_view verb() const { return words_.verb; }
  std::string name() const { return words_.name; }
  std::span<const word> args() const { return {words_.arg, words_.n}; }
  std::string get(const char* key) const {
    const word* a = words_get(&words_, key);
    return a != nullptr ? std::string(a->val, a->len) : std::string();
  }
  int64_t number(const char* key, int64_t absent = 0) const { return words_num(&words_, key, absent); }
  uint32_t flags() const { return flags_of(words_text(&words_, "flags", "")); }

 private:
  std::string text_;
  words words_;
};

inline std::string show(std::string_view bytes, size_t limit = SIZE_MAX) {
  char* s = words_show(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), limit);
  const std::string shown = s;
  std::free(s);
  return shown;
}

inline void say(const std::string& line) {
  static std::mutex one_at_a_time;
  std::lock_guard guard(one_at_a_time);
  std::cout << line << std::endl;
}

inline std::string answer(mw_status s) { return status_word(s); }
inline std::string answer_value(mw_status s, int64_t v) {
  return s < 0 ? answer(s) : "OK value=" + std::to_string(v);
}

#endif
