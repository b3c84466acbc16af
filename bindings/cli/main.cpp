// The program `meshwork`: provide, consume, bench, options, version. It uses
// the public API alone, so it shows that this is enough.
#include "program.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <numeric>

namespace {

size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t k = 0; k < b.size(); ++k)
      diagonal = std::exchange(row[k + 1], std::min({row[k + 1] + 1, row[k] + 1, diagonal + (a[i] == b[k] ? 0 : 1)}));
  }
  return row.back();
}

// The option or command that was probably meant, or "".
std::string nearest(const CLI::App& app, std::string_view word) {
  word = word.substr(0, word.find('='));
  std::string best;
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  auto offer = [&](const std::string& name) {
    if (const size_t d = distance(word, name); d < least) least = d, best = name;
  };
  if (word.starts_with("-")) {
    for (const CLI::Option* option : app.get_options())
      for (const std::string& name : option->get_lnames()) offer("--" + name);
  } else {
    for (const CLI::App* command : app.get_subcommands(nullptr)) offer(command->get_name());
  }
  return best;
}

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

int wrong_usage(const CLI::App& app, const CLI::ParseError& e) {
  const CLI::App* command = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
  std::fprintf(stderr, "meshwork: %s\n", e.what());
  for (const std::string& word : command->remaining())
    if (const std::string best = nearest(*command, word); !best.empty())
      std::fprintf(stderr, "  %s: did you mean %s?\n", word.c_str(), best.c_str());
  std::fprintf(stderr, "  `%s --help` tells more\n", command == &app ? "meshwork" : ("meshwork " + command->get_name()).c_str());
  return cli::kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("meshwork: messages between processes and machines, over WebSocket and TLS", "meshwork");
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  int exit_code = cli::kOk;
  cli::add_provide(app, exit_code);
  cli::add_consume(app, exit_code);
  cli::add_bench(app, exit_code);
  cli::add_options(app, exit_code);
  app.add_subcommand("version", "print the versions of program and library")->callback([] {
    const uint32_t v = mw_version();
    std::printf("meshwork %d.%d.%d, library %u.%u.%u\n", MW_VERSION_MAJOR, MW_VERSION_MINOR, MW_VERSION_PATCH, v >> 16,
                v >> 8 & 255, v & 255);
  });
  app.footer(
      "Exit codes: 0 done, or drained after Ctrl-C; 1 failed; 2 wrong usage; 3 could not listen or\n"
      "connect; 4 refused by the other end; 5 TLS; 130 second Ctrl-C.");
  std::vector<std::string> words(argv + 1, argv + argc);
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  hide(argc, argv);
  try {
    app.parse(std::move(words));  // runs the command
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& e) {
    return wrong_usage(app, e);
  } catch (const cli::Failure& e) {
    std::fprintf(stderr, "meshwork: %s\n", e.what());
    return e.exit;
  } catch (const mw::Error& e) {
    const cli::Failure f = cli::failure(e.code(), e.what(), {});
    std::fprintf(stderr, "meshwork: %s\n", f.what());
    return f.exit;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "meshwork: %s\n", e.what());
    return cli::kFailed;
  }
  return exit_code;
}
