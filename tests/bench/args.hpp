// The command line of a bench program: --key=value and --flag, nothing else.
// Used by the programs of this folder.
// Read at start.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace mw::bench {

class Args {
 public:
  // known: every key the program understands, separated and enclosed by spaces.
  Args(int argc, char** argv, const std::string& known) {
    for (int i = 1; i < argc; ++i) {
      const std::string arg = argv[i];
      const size_t eq = arg.find('=');
      const std::string key = arg.rfind("--", 0) == 0 ? arg.substr(2, eq - 2) : "";
      if (known.find(std::string(1, ' ').append(key).append(1, ' ')) == std::string::npos) {
        std::fprintf(stderr, "%s: unknown argument %s; known:%s\n", argv[0], argv[i], known.c_str());
        std::exit(64);
      }
      values_[key] = eq == std::string::npos ? "1" : arg.substr(eq + 1);
    }
  }

  bool has(const std::string& key) const { return values_.count(key) != 0; }
  std::string text(const std::string& key, const std::string& fallback = "") const {
    const auto it = values_.find(key);
    return it == values_.end() ? fallback : it->second;
  }
  long number(const std::string& key, long fallback) const {
    return has(key) ? std::strtol(text(key).c_str(), nullptr, 10) : fallback;
  }
  double real(const std::string& key, double fallback) const {
    return has(key) ? std::strtod(text(key).c_str(), nullptr) : fallback;
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace mw::bench
