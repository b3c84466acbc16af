// The program `meshwork`: provide, consume, hub, ctl, emit, listen, node, call,
// serve, publish, members, top, manager, bench, options, doctor, version.
// It uses the public API alone, so it shows that this is enough.
#include "commands.hpp"
#include "program.hpp"

#include <cstdio>
#include <cstring>

namespace {

// Parameters are secrets: take them out of what `ps` shows.
void hide(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    char* word = nullptr;
    if (std::strncmp(argv[i], "--param=", 8) == 0) word = argv[i] + 8;
    else if (std::strcmp(argv[i - 1], "--param") == 0) word = argv[i];
    if (char* value = word != nullptr ? std::strchr(word, '=') : nullptr; value != nullptr && value[1] != '@')
      std::memset(value + 1, '*', std::strlen(value + 1));
  }
}

int say(const cli::Failure& f) {
  std::fprintf(stderr, "meshwork: %s\n", f.what());
  return f.exit;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  hide(argc, argv);
  try {
    return cli::run_command(std::move(words));
  } catch (const cli::Failure& f) {
    return say(f);
  } catch (const mw::Error& e) {
    // Thrown where something was opened: the library's own no to these options, nobody else's.
    if (e.code() == MW_EDENIED) return say({cli::kUsage, std::string(e.what()) + " (MW_EDENIED)"});
    return say(cli::failure(e.code(), e.what(), {}));
  } catch (const std::exception& e) {
    return say({cli::kFailed, e.what()});
  }
}
